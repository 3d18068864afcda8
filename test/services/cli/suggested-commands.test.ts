import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../../services/cli/program.ts';
import { asTyped, SUGGESTED } from '../../../services/cli/ui/suggested-commands.ts';
import { place, rollcall } from './support.ts';

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
});
