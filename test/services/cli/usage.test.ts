import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from '../../../services/cli/program.ts';
import { errorShape } from './shapes.ts';
import { expectNoStack, expectRefusal, json, place, refused, rollcall } from './support.ts';

describe('the command line', () => {
  test.each<[string, string[], string[]]>([
    ['no command', [], ['A command is missing']],
    ['an unknown command', ['plann'], ["unknown command 'plann'", 'Did you mean plan?']],
    ['a misspelled command', ['doktor'], ["unknown command 'doktor'", 'Did you mean doctor?']],
    ['a group without its command', ['policy'], ['A command is missing']],
    ['an unknown command of a group', ['audit', 'lst'], ["unknown command 'lst'"]],
    ['an unknown option', ['status', '--fast'], ["unknown option '--fast'"]],
    ['an option without its value', ['plan', '--policy'], ["'--policy <file>'", 'missing']],
    ['a missing argument', ['account'], ["missing required argument 'id'"]],
    ['an argument too many', ['status', 'now'], ['too many arguments']],
    ['an account id of 11 digits', ['account', '12345678901'], ['account "12345678901"', '12 digits']],
    ['a wait without a unit', ['apply', '--yes', '--wait', '60'], ['--wait "60"', 'duration']],
    ['a limit of nothing', ['audit', 'list', '--limit', '0'], ['--limit "0"', 'from 1 to']],
    ['a type in the wrong case', ['audit', 'list', '--type', 'driftdetected'], ['DriftDetected', 'case']],
    ['an unknown type', ['audit', 'list', '--type', 'Drift'], ['--type "Drift"', 'ScanStarted']],
    ['an unknown enrollment', ['audit', 'list', '--enrollment', 'co'], ['computeOptimizer, automation']],
    ['a day that does not exist', ['audit', 'list', '--since', '2026-02-30'], ['--since "2026-02-30"', '2026-03-01']],
    ['an unknown store', ['status', '--store', 'redis'], ['--store "redis"', 'embedded or aws']],
    [
      'a store that nothing is known of',
      ['status', '--store', 'aws'],
      ['ROLLCALL_TABLE is not set', 'ROLLCALL_QUEUE_URL is not set', 'ROLLCALL_EVENT_BUS is not set'],
    ],
    ['an empty data directory', ['status', '--data-dir', ''], ['--data-dir needs']],
    ['a sandbox with an invalid port', ['sandbox', '--port', '65536'], ['--port "65536"']],
    ['a sandbox with an unknown scenario', ['sandbox', '--scenario', 'huge'], ['--scenario "huge"', 'small, demo']],
    ['a sandbox with too much drift', ['sandbox', '--drift', '1.5'], ['--drift "1.5"', 'from 0 to 1']],
    ['redrive without an id', ['dlq', 'redrive'], ['needs the ids of dead letters', '--all']],
  ])('%s is refused in a line', async (_name, args, words) => {
    const line = await refused(args);
    expect(line).toMatch(/^error: [^\n]+$/);
    for (const word of words) expect(line).toContain(word);
  });

  test('a rejected command exits 1, writes only to stderr and creates no file', async () => {
    const cwd = place();
    const [unknown, bare] = await Promise.all([rollcall(['plann'], { cwd }), rollcall([], { cwd })]);
    expectRefusal(unknown, cwd, [], "unknown command 'plann'", 'Did you mean plan?');
    expectRefusal(bare, cwd, [], 'Usage: rollcall', 'A command is missing');
  });

  test('--json prints errors as a document, at any position', async () => {
    const cwd = place();
    const commands = [
      ['--json', 'plann'],
      ['status', '--fast', '--json'],
      ['audit', '--json', 'list', '--limit', 'x'],
      ['--json'],
    ];
    for (const result of await Promise.all(commands.map((args) => rollcall(args, { cwd })))) {
      expect(result.code).toBe(1);
      expect(errorShape.parse(json(result)).error.code).toBe('Usage');
      expectNoStack(result);
    }
  });

  test('help and version go to stdout with exit code 0, and help names only existing commands', async () => {
    const cwd = place();
    const [help, version, sub] = await Promise.all([
      rollcall(['--help'], { cwd }),
      rollcall(['--version'], { cwd }),
      rollcall(['audit', 'list', '--help'], { cwd }),
    ]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const name of [
      'plan',
      'apply',
      'approve',
      'serve',
      'status',
      'account',
      'policy',
      'audit',
      'dlq',
      'backup',
      'restore',
      'sandbox',
      'suspend',
      'resume',
      'halt',
    ])
      expect(help.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(sub).toMatchObject({ code: 0 });
    expect(sub.stdout).toContain('--oldest-first');
    expect(sub.stdout).toContain('--data-dir');
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('help of every command fits 80 columns', () => {
    const helpOf = (path: readonly string[]): string => {
      let text = '';
      const add = (more: string): void => {
        text += more;
      };
      expect(() => parse([...path, '--help'], { write: add, note: add })).toThrow();
      return text;
    };
    const walk = (path: readonly string[]): number => {
      const text = helpOf(path);
      expect(text).toContain(`Usage: ${['rollcall', ...path].join(' ')}`);
      for (const line of text.split('\n')) expect(line.length, `${path.join(' ')}: ${line}`).toBeLessThanOrEqual(80);
      const below = (text.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}([a-z][a-z-]*)/gm);
      return [...below]
        .filter(([, name]) => name !== 'help')
        .reduce((sum, [, name = '']) => sum + walk([...path, name]), 1);
    };
    expect(walk([])).toBeGreaterThan(30);
  });

  test('apply without a terminal and without --yes does not ask and does nothing', async () => {
    const cwd = place({ 'rollcall.yaml': 'version: 1\ndefaults: { computeOptimizer: Active }\n' });
    expectRefusal(await rollcall(['apply'], { cwd }), cwd, ['rollcall.yaml'], '--yes', 'rollcall plan');
  });

  test('without a policy, plan says how to create one', async () => {
    const cwd = place();
    expectRefusal(await rollcall(['plan'], { cwd }), cwd, [], 'There is no rollcall.yaml', 'policy init');
  });

  test('without a store, commands that read it say so', async () => {
    const cwd = place();
    const commands = [
      ['status'],
      ['audit', 'list'],
      ['audit', 'verify'],
      ['account', '123456789012'],
      ['dlq', 'list'],
      ['approve', '0123456789ab'],
      ['backup', 'b.db'],
    ];
    for (const args of commands) {
      const line = await refused([...args, '--data-dir', join(cwd, 'data')]);
      expect(line).toContain(`${cwd}/data/rollcall.db: there is no store. Check --data-dir`);
    }
    expect(readdirSync(cwd)).toEqual([]);
  });
});
