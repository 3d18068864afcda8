import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorShape } from './shapes.ts';
import { expectNoStack, expectRefusal, json, place, refused, rollcall } from './support.ts';

describe('the command line', () => {
  test.each<[string, string[], string[]]>([
    ['an option without a command', ['--verbose'], ['a command is missing', 'rollcall --help']],
    ['an unknown command', ['plann'], ['unknown command plann', 'Did you mean plan? All commands: rollcall --help']],
    ['a misspelled command', ['doktor'], ['unknown command doktor', 'Did you mean doctor?']],
    ['a command without its group', ['explain'], ['unknown command explain', 'Did you mean policy explain? All']],
    ['a command of two groups', ['list'], ['unknown command list', 'Did you mean audit list or dlq list?']],
    ['a long option with one dash', ['plan', '-help'], ['unknown option -help', 'Did you mean --help?']],
    ['an option of a similar tool', ['apply', '-auto-approve'], ['Did you mean --yes? All options']],
    ['a command as an option', ['apply', '--dry-run'], ['Did you mean plan? All options']],
    ['the short version option', ['-v'], ['unknown option -v', 'Did you mean --version?']],
    ['a group without its command', ['policy'], ['a command is missing', 'All commands: rollcall policy --help']],
    ['an unknown command of a group', ['audit', 'lst'], ['unknown command lst', 'rollcall audit --help']],
    ['an unknown option', ['status', '--fast'], ['unknown option --fast', 'All options: rollcall status --help']],
    ['--out with one dash', ['plan', '-out=plan.json'], ['--output "ut=plan.json"', 'Did you mean --out?']],
    ['-out and a file', ['plan', '-out', 'x.json'], ['unexpected argument x.json', 'Did you mean --out x.json?']],
    ['a saved plan as an argument', ['apply', 'plan.json'], ['unexpected argument', 'Did you mean --plan plan.json?']],
    [
      'a policy as an argument',
      ['plan', 'rollcall.yml'],
      ['unexpected argument', 'Did you mean --policy rollcall.yml?'],
    ],
    ['an empty account name', ['account', ''], ['account "" is empty', '12 digits, or an exact name']],
    ['a command of Terraform', ['destroy'], ['unknown command destroy', 'Did you mean halt?']],
    ['a name as a selector', ['suspend', 'dev-1'], ['`dev-1` is not a selector', 'name:dev-1']],
    ['an unknown format', ['plan', '-o', 'xml'], ['--output "xml"', 'table, wide, csv, json, name']],
    ['a format that the command does not have', ['status', '-o', 'csv'], ['rollcall status has no --output csv']],
    ['two formats', ['plan', '--json', '-o', 'csv'], ['--json and --output csv exclude each other']],
    ['quiet and verbose', ['plan', '--quiet', '--verbose'], ['--quiet and --verbose exclude each other']],
    ['an unknown shell', ['completion', 'tcsh'], ['tcsh', 'bash, zsh or fish']],
    ['help for an unknown topic', ['help', 'status-codes'], ['there is no help for status-codes', 'exit-codes']],
    ['an option without its value', ['plan', '--policy'], ["'--policy <file>'", 'missing']],
    ['a missing argument', ['account'], ["missing required argument 'id'"]],
    ['an argument too many', ['status', 'now'], ['unexpected argument now']],
    ['an account id of 11 digits', ['account', '12345678901'], ['account "12345678901"', '12 digits']],
    ['an option with an empty value', ['audit', 'export', '--out', ''], ['--out is empty; expected a value']],
    ['an empty account', ['audit', 'list', '--account='], ['--account is empty; expected a value']],
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
  ])('%s is refused in one sentence, with facts and the fix below it', async (_name, args, words) => {
    const text = await refused(args);
    expect(text).toMatch(/^error: [^\n]+(\n {2}\S[^\n]*)*$/);
    for (const word of words) expect(text).toContain(word);
  });

  test('a rejected command exits 1, writes only to stderr and creates no file', async () => {
    const cwd = place();
    const [unknown, group] = await Promise.all([rollcall(['plann'], { cwd }), rollcall(['policy'], { cwd })]);
    expectRefusal(unknown, cwd, [], 'unknown command plann', 'Did you mean plan?');
    expectRefusal(group, cwd, [], 'a command is missing', 'rollcall policy --help');
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

  test('help and version go to stdout with exit code 0', async () => {
    const cwd = place();
    const [bare, help, version, sub] = await Promise.all([
      rollcall([], { cwd }),
      rollcall(['--help'], { cwd }),
      rollcall(['--version'], { cwd }),
      rollcall(['audit', 'list', '--help'], { cwd }),
    ]);
    expect(help).toMatchObject({ code: 0, stderr: '', stdout: bare.stdout });
    expect(bare).toMatchObject({ code: 0, stderr: '' });
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(sub).toMatchObject({ code: 0, stderr: '' });
    expect(sub.stdout).toContain('--oldest-first');
    expect(readdirSync(cwd)).toEqual([]);
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
      expect(line).toContain(
        `there is no store in ${cwd}/data\n  Is this the wrong folder? Use --data-dir DIR or --store aws`,
      );
    }
    expect(readdirSync(cwd)).toEqual([]);
  });
});
