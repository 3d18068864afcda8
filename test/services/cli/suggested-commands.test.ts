import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../../services/cli/program.ts';
import { asTyped, SUGGESTED } from '../../../services/cli/ui/suggested-commands.ts';
import { ENROLL, place, rollcall, world } from './support.ts';

describe('suggested commands', () => {
  test('are all commands of the program', () => {
    const program: Command = commandLine(() => undefined);
    const names = program.commands.map((command) => command.name()).filter((name) => !name.startsWith('__'));
    expect([...SUGGESTED].sort()).toEqual([...new Set([...names, 'help'])].sort());
  });

  test('are written as the user has to type them, wherever a text has them', () => {
    const text = 'Next: rollcall scan. See `rollcall audit list`, "rollcall doctor", (rollcall account ID).';
    expect(asTyped(text, 'rollcall')).toBe(text);
    expect(asTyped(text, 'npm run rollcall --').match(/npm run rollcall -- /g)).toHaveLength(4);
  });

  test('leave paths, names and prose alone', () => {
    const text =
      'infra/rollcall plan, rollcall.yaml, my-rollcall apply, rollcall keeps, npm run rollcall -- plan, rollcall plan-b';
    expect(asTyped(text, 'npm run rollcall --')).toBe(text);
  });

  test('run in a checkout as printed; help, scripts and data are unchanged', async () => {
    const cwd = place({});
    const env = { npm_lifecycle_event: 'rollcall' };
    const said = async (...args: string[]): Promise<string> => {
      const { stdout, stderr } = await rollcall(args, { cwd, env });
      return stdout + stderr;
    };
    expect(await said('status')).toContain('npm run rollcall -- scan');
    expect(await said('plan')).toContain('npm run rollcall -- policy init');
    expect(await said('plan', '--polcy')).toContain('npm run rollcall -- plan --help');
    const help = await said('plan', '--help');
    expect(help).toContain('Usage: rollcall plan');
    expect(help).toContain('In this checkout, type `npm run rollcall --` instead of `rollcall`.');
    expect(await said('completion', 'bash')).not.toContain('npm run');
  });

  test('run the same package after npx, and are unchanged in a shell that npx started or if the package is unknown', async () => {
    const cwd = place({});
    const npx = {
      ...{ npm_command: 'exec', npm_lifecycle_event: 'npx', npm_lifecycle_script: "'rollcall'" },
      npm_config_package: './rollcall 0.1.0.tgz',
    };
    const said = async (env: Readonly<Record<string, string>>, ...args: string[]): Promise<string> => {
      const { stdout, stderr } = await rollcall(args, { cwd, env });
      return stdout + stderr;
    };
    const program = "npx --package './rollcall 0.1.0.tgz' rollcall";
    for (const args of [['status'], ['plan'], ['plan', '--polcy']]) {
      const text = await said(npx, ...args);
      expect(text, text).toContain(`${program} `);
      expect(text.replaceAll(`${program} `, '')).not.toMatch(/rollcall (scan|plan|policy)|npx/);
    }
    expect(await said(npx, 'plan', '--help')).toContain(`Here, type \`${program}\` instead of \`rollcall\`.`);
    const others = [
      { npm_lifecycle_script: "'bash'" },
      { npm_config_package: '' },
      { npm_config_package: 'a\n\nb' },
      { npm_command: 'run-script' },
    ];
    for (const other of others) expect(await said({ ...npx, ...other }, 'status')).not.toContain('npx');
  });

  test('repeat the store that the command line names, so that they find the same one', async () => {
    const { env } = await world({ drift: 0.5 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const said = async (...args: string[]): Promise<string> => {
      const { stdout, stderr } = await rollcall(args, { cwd, env });
      return stdout + stderr;
    };
    expect(await said('scan', '--data-dir', 'my data')).toContain("Next: rollcall --data-dir 'my data' plan");
    const [account = ''] = (await said('accounts', '-o', 'name', '--data-dir', 'my data')).split('\n');
    expect(await said('account', account, '--data-dir', 'my data')).toContain(
      `History (rollcall --data-dir 'my data' audit list --account ${account})`,
    );
    const missing = await said('status', '--store', 'embedded', '--data-dir=other');
    expect(missing).toContain('rollcall --store embedded --data-dir other scan');
    const fromEnvironment = await rollcall(['scan'], { cwd, env: { ...env, ROLLCALL_DATA_DIR: 'my data' } });
    expect(fromEnvironment.stdout).toContain('Next: rollcall plan');
  });
});
