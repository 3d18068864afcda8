import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { candidates, type KnownAccount } from '../../../services/cli/completion/candidates.ts';
import { SCRIPTS } from '../../../services/cli/completion/scripts.ts';
import { SHELLS } from '../../../services/cli/completion/shells.ts';
import { commandLine } from '../../../services/cli/program.ts';
import { ENROLL, MAIN, place, rollcall, world } from './support.ts';

const ACCOUNTS: readonly KnownAccount[] = [
  { id: '257698251120', name: 'dev-checkout-003', ou: '/Workloads/Dev' },
  { id: '257698251999', name: 'dev-edge-001', ou: '/Workloads/Dev' },
  { id: '361462655942', name: 'prod-search-003', ou: '/Workloads/Prod' },
];

async function complete(...words: string[]): Promise<string[]> {
  const found = await candidates(commandLine(), words, async () => ACCOUNTS);
  return found.map(({ value }) => value);
}

describe('candidates', () => {
  test.each<[string, string[], string[]]>([
    ['commands', ['ba'], ['backup']],
    ['commands of a group', ['audit', 'ex'], ['export']],
    ['options', ['audit', 'list', '--ol'], ['--oldest-first']],
    ['options of every command', ['plan', '--data'], ['--data-dir']],
    ['entry types', ['audit', 'list', '--type', 'DriftD'], ['DriftDetected']],
    ['a value after an equals sign', ['audit', 'list', '--type=DriftD'], ['--type=DriftDetected']],
    ['a value after an equals sign, as bash passes it', ['audit', 'list', '--type', '=', 'DriftD'], ['DriftDetected']],
    ['stores', ['status', '--store', ''], ['embedded', 'aws']],
    ['formats that the command has', ['audit', 'list', '-o', ''], ['json', 'table', 'wide', 'csv', 'name']],
    ['an option after a value', ['--data-dir', 'plan', 'audit', 'sh'], ['show']],
    ['topics and commands', ['help', 'ex'], ['exit-codes']],
    ['shells', ['completion', 'z'], ['zsh']],
    ['account ids', ['account', '2576'], ['257698251120', '257698251999']],
    ['the id of the only account with this name', ['account', 'Prod-'], ['361462655942']],
    ['names, as far as they are equal', ['account', 'dev-'], ['dev-checkout-003', 'dev-edge-001']],
    ['selectors', ['suspend', 'ou:/Workloads/P'], ['ou:/Workloads/Prod']],
    ['nothing for files', ['plan', '--policy', ''], []],
    ['nothing for free text', ['halt', '--reason', 'x'], []],
  ])('%s', async (_name, words, expected) => {
    expect(await complete(...words)).toEqual(expected);
  });

  test('hidden commands are not offered', async () => {
    expect(await complete('un')).toEqual([]);
    expect(await complete('_')).toEqual([]);
  });
});

describe('__complete', () => {
  test('offers accounts of the store, and nothing without one', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const before = await rollcall(['__complete', '--', 'account', ''], { cwd });
    expect(before).toMatchObject({ code: 0, stdout: '', stderr: '' });
    await rollcall(['apply', '--yes', '--wait', '1s', '--data-dir', 'other'], { cwd, env });
    const after = await rollcall(['__complete', '--', '--data-dir', 'other', 'account', ''], { cwd });
    expect(after.stdout).toMatch(/^\d{12}\t\S+\n/);
    expect(after.stdout.trim().split('\n')).toHaveLength(12);
    expect(after.stderr).toBe('');
  });
});

const isInstalled = (shell: string): boolean =>
  spawnSync(shell, ['-c', 'exit'], { stdio: 'ignore' }).error === undefined;

describe('scripts', () => {
  test.each(SHELLS)('%s: the command prints it', async (shell) => {
    const { stdout, code, stderr } = await rollcall(['completion', shell], { cwd: place() });
    expect({ stdout, code, stderr }).toEqual({ stdout: `${SCRIPTS[shell]}\n`, code: 0, stderr: '' });
  });

  test.each(SHELLS.filter(isInstalled))('%s can read it', (shell) => {
    const file = join(place({ script: SCRIPTS[shell] }), 'script');
    execFileSync(shell, ['-n', file]);
  });

  test('bash completes with it', () => {
    const cwd = place();
    const program = join(cwd, 'rollcall');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    chmodSync(program, 0o755);
    const script = `${SCRIPTS.bash}
COMP_WORDS=(rollcall audit list --type Remediation); COMP_CWORD=4; _rollcall
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const path = `${cwd}${delimiter}${process.env['PATH'] ?? ''}`;
    const printed = execFileSync('bash', ['-c', script], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    });
    expect(printed.trim().split('\n')).toEqual([
      'RemediationStarted',
      'RemediationSucceeded',
      'RemediationFailed',
      'RemediationBlocked',
    ]);
  });
});
