import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportOf } from '../../../services/cli/errors.ts';
import { listenForInterrupts } from '../../../services/cli/interrupt.ts';
import { parse } from '../../../services/cli/program.ts';
import { since } from '../../../services/cli/run-once.ts';
import { Output, type Style } from '../../../services/cli/ui/output.ts';
import { planText } from '../../../services/cli/ui/plan-text.ts';
import { progressMode, RunProgress } from '../../../services/cli/ui/progress.ts';
import { oneLine, shorten, table } from '../../../services/cli/ui/table.ts';
import { ago, changesText, count, duration } from '../../../services/cli/ui/words.ts';
import { changesText as dashboardText } from '../../../services/dashboard/browser/words.ts';
import type { Progress, WorkOutcome } from '../../../shared/app/context.ts';
import type { PlanDocument } from '../../../shared/app/plan/plan-document.ts';
import { fullStatuses, fullSummary } from '../../../shared/app/plan/plan-document.ts';
import { workKey } from '../../../shared/app/plan/planned-work.ts';
import { countArgument, durationArgument, instantArgument, numberArgument } from '../../../shared/config/arguments.ts';
import { useSandboxOnly } from '../../../shared/config/aws-environment.ts';
import { readConfig } from '../../../shared/config/config.ts';
import type { Change } from '../../../shared/domain/decision/plan.ts';
import { CloudError, type CloudErrorDetails } from '../../../shared/ports/cloud.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { account, range } from '../../contract/samples.ts';
import { streams } from './support.ts';

const plain: Style = (_format, text) => text;

describe('tables', () => {
  const columns = [{ title: 'ID' }, { title: 'NAME', shrinks: true }, { title: 'N', align: 'right' as const }];
  const rows = [
    ['1', '日本語アカウント', '5'],
    ['22', 'a very long name of an account', '1,000'],
  ];

  test('align by terminal cells, wide characters counted as two', () => {
    expect(table(columns, rows, null)).toEqual([
      'ID  NAME                                N',
      '1   日本語アカウント                    5',
      '22  a very long name of an account  1,000',
    ]);
  });

  test('fit the terminal by shortening shrinkable columns', () => {
    const lines = table(columns, rows, 30);
    expect(lines).toEqual([
      'ID  NAME                     N',
      '1   日本語アカウント         5',
      '22  a very long name o…  1,000',
    ]);
  });

  test('never shorten ids, even on a narrow terminal', () => {
    expect(table(columns, rows, 5)[2]).toBe('22  a very …  1,000');
  });

  test('drop columns in their order, and name them, before the other columns become unreadable', () => {
    const wide = [
      { title: 'ACCOUNT' },
      { title: 'NAME', shrinks: true, dropOrder: 1 },
      { title: 'NOT BEFORE' },
      { title: 'REASON', shrinks: true, dropOrder: 2 },
    ];
    const row = ['111122223333', 'the account of the payments team', '', 'statusDiffers'];
    expect(table(wide, [row], 80)[0]).toBe('ACCOUNT       NAME                              NOT BEFORE  REASON');
    // An empty column is dropped without notice.
    expect(table(wide, [row], 45)).toEqual([
      'ACCOUNT       NAME              REASON',
      '111122223333  the account of …  statusDiffers',
    ]);
    expect(table(wide, [row], 40)).toEqual([
      'ACCOUNT       REASON',
      '111122223333  statusDiffers',
      '(too narrow for NAME; --json has all)',
    ]);
    expect(table(wide, [row], 20)[1]).toBe('111122223333');
  });

  test('external text cannot control the terminal', () => {
    expect(oneLine('a\u001b[31mb\r\nc\u2028d\u009be')).toBe('a [31mb c d e');
    expect(shorten('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3)).toBe('👩‍👩‍👧‍👦…');
  });
});

test('words', () => {
  expect([0, 999, 1_000, 59_940, 60_000, 3_599_000, 3_600_000, 172_800_000].map(duration)).toEqual([
    '0ms',
    '999ms',
    '1.0s',
    '59.9s',
    '1m 00s',
    '59m 59s',
    '1h 00m',
    '2d 0h',
  ]);
  expect([count(1, 'entry', 'entries'), count(1_234, 'entry', 'entries')]).toEqual(['1 entry', '1,234 entries']);
  expect(ago('2026-01-01T00:00:05Z', Date.parse('2026-01-01T00:00:00Z'))).toBe('in 5.0s');
});

describe('a plan of ten thousand changes', () => {
  const change = (at: number): Change => ({
    accountId: String(100_000_000_000 + at),
    accountName: `account-${at}`,
    ou: '/A',
    enrollment: 'computeOptimizer',
    observed: 'Inactive',
    observedRuleMode: null,
    desired: 'Active',
    desiredRuleMode: null,
    verdict: 'Drifted',
    status: 'Drifted',
    action: 'UpdateEnrollmentStatus',
    heldAction: 'none',
    scope: 'member',
    optOut: false,
    rule: at % 2 === 0 ? 'even' : 'odd',
    reason: 'statusDiffers',
    message: null,
    notBefore: null,
  });
  const plan: PlanDocument = {
    runId: 'r',
    organizationId: 'o-1',
    policyHash: 'p'.repeat(64),
    planHash: 'h'.repeat(64),
    coverage: { listed: 0, evaluated: 10_000, unknown: 0, notApplicable: 0 },
    summary: fullSummary({ computeOptimizer: { Drifted: 10_000 }, automation: {} }),
    statuses: fullStatuses({ computeOptimizer: { Drifted: 10_000 }, automation: {} }),
    guardrail: { tripped: false, reason: null, message: null },
    approval: null,
    rollout: null,
    organizationWide: { used: false, possible: true, accounts: 10_000, note: 'it could' },
    trustedAccess: true,
    totals: { now: 9_000, followUps: 1_000, optOuts: 0, calls: 10_004 },
    calls: [
      { operation: 'UpdateEnrollmentStatus', scope: 'member', accounts: 10_000, calls: 10_000 },
      { operation: 'AssociateAccounts', scope: 'batch', accounts: 101, calls: 3 },
      { operation: 'UpdateEnrollmentStatus', scope: 'organization', accounts: 9, calls: 1 },
    ],
    broken: [],
    changes: Array.from({ length: 10_000 }, (_, at) => change(at)),
  };

  test('is shown as groups, the first changes, and how to see the rest', () => {
    const lines = planText(plan, { style: plain, width: null, all: false });
    const text = lines.join('\n');
    expect(lines.length).toBeLessThan(50);
    expect(text).toMatch(
      /^ +5,000 {2}Compute Optimizer {2}Inactive → Active {3}Drifted {2}UpdateEnrollmentStatus \(member\) {2}even /m,
    );
    expect(text).toContain('… and 9,980 more: use --all, --json or --out FILE.');
    expect(text).toContain('10,000 UpdateEnrollmentStatus (one for each account)');
    expect(text).toContain('3 AssociateAccounts (101 accounts, up to 50 a call)');
    expect(text).toContain('1 UpdateEnrollmentStatus for the whole organization (9 accounts not yet Active)');
    expect(text).toContain('Organization-wide call: not used; it could.');
    expect(lines.at(-1)).toBe(
      'Plan: 10,000 changes (9,000 now, 1,000 after Compute Optimizer), 0 opt-outs, 10,004 calls',
    );
    expect(planText(plan, { style: plain, width: null, all: true }).length).toBeGreaterThan(10_000);
  });
});

describe('arguments', () => {
  test('durations, counts, numbers, instants', () => {
    expect(['0ms', '60s', '1h30m', '1.5s', '7d'].map((text) => durationArgument('--x', text))).toEqual([
      0, 60_000, 5_400_000, 1_500, 604_800_000,
    ]);
    for (const text of ['', '60', '-1s', '1 s', '1w', 's']) expect(() => durationArgument('--x', text)).toThrow('--x');
    expect(countArgument('--n', '5', { min: 1, max: 5 })).toBe(5);
    for (const text of ['0', '6', '1e2', '1.5', '', ' 1'])
      expect(() => countArgument('--n', text, { min: 1, max: 5 })).toThrow('--n');
    expect(numberArgument('--r', '0.25', { min: 0, max: 1 })).toBe(0.25);
    for (const text of ['1.1', '-0.1', 'NaN', '.5'])
      expect(() => numberArgument('--r', text, { min: 0, max: 1 })).toThrow('--r');
    const now = Date.parse('2026-03-01T12:00:00Z');
    const instants = ['24h', '2026-02-28', '2026-02-28T10:00:00+02:00'].map((text) =>
      instantArgument('--since', text, now),
    );
    expect(instants).toEqual(['2026-02-28T12:00:00.000Z', '2026-02-28T00:00:00.000Z', '2026-02-28T08:00:00.000Z']);
    for (const text of [
      'yesterday',
      '2026-13-01',
      '2026-02-30',
      '2026-02-28T25:00:00Z',
      '2026-02-28T10:00',
      '99999999d',
    ])
      expect(() => instantArgument('--since', text, now)).toThrow('--since');
  });

  test('global options can stand anywhere', () => {
    const writers = { write: () => undefined, note: () => undefined };
    const flags = { json: true, store: 'embedded', dataDir: 'd', verbose: true, color: false };
    const typed = [
      ['--json', '--data-dir', 'd', '--verbose', '--no-color', 'audit', 'list'],
      ['audit', '--json', '--data-dir=d', 'list', '--verbose', '--no-color'],
      ['audit', 'list', '--type', 'ScanStarted', '--no-color', '--verbose', '--data-dir', 'd', '--json'],
    ];
    for (const args of typed) expect(parse(args, writers).flags).toEqual(flags);
  });
});

describe('colour', () => {
  const flags = { json: false, store: 'embedded', dataDir: '.rollcall', verbose: false, color: true };

  test.each([
    [{}, true, 'auto'],
    [{ NO_COLOR: '1' }, true, 'never'],
    [{ NO_COLOR: '' }, true, 'auto'],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true, 'always'],
    [{ FORCE_COLOR: '0' }, true, 'never'],
    [{ FORCE_COLOR: '1' }, false, 'never'],
    [{ TERM: 'dumb' }, true, 'never'],
  ])('%o, --no-color %s: %s', (env, color, expected) => {
    expect(readConfig({ ...flags, color }, env).color).toBe(expected);
  });

  test('is used on a terminal only, unless forced', () => {
    const paint = (color: 'auto' | 'always' | 'never', columns?: number): string => {
      const { written, out, err } = streams(columns);
      const output = new Output(out, err, { json: false, color });
      output.print(output.style('red', 'x'));
      return written.out.trimEnd();
    };
    expect([paint('auto'), paint('auto', 80), paint('always'), paint('never', 80)]).toEqual([
      'x',
      '\u001b[31mx\u001b[39m',
      '\u001b[31mx\u001b[39m',
      'x',
    ]);
  });

  test('a live display is used only if the terminal can draw it', () => {
    const output = (columns?: number): Output => {
      const { out, err } = streams(columns);
      return new Output(out, err, { json: false, color: 'never' });
    };
    const config = { json: false, verbose: false, drawable: true };
    expect(progressMode(output(80), config)).toBe('live');
    expect(progressMode(output(80), { ...config, drawable: false })).toBe('lines');
    expect(progressMode(output(80), { ...config, verbose: true })).toBe('lines');
    expect(progressMode(output(), config)).toBe('lines');
    expect(progressMode(output(80), { ...config, json: true })).toBe('off');
  });
});

describe('progress', () => {
  test('in lines shows the end of a wait', () => {
    const { written, out, err } = streams();
    const output = new Output(out, err, { json: false, color: 'never' });
    const now = Date.UTC(2026, 0, 1, 12);
    const progress = new RunProgress({ output, now: () => now, stream: process.stderr, mode: 'lines' });
    progress.begin({});
    progress.take({ kind: 'waitingForLease', holder: 'x', until: now + 42_000 });
    progress.take({ kind: 'organization', accounts: 3, done: true });
    progress.take({ kind: 'waiting', until: now + 61_000 });
    progress.end();
    expect(written.err.split('\n').map((line) => line.split(', ')[0])).toEqual([
      'reading the organization',
      'waiting for another scan to finish (until 12:00:42 UTC if its process has died)',
      'reading enrollments',
      'waiting for the next due change (12:01:01 UTC)',
      '',
    ]);
  });
});

describe('the progress of changes', () => {
  const TOTAL = 290;
  const keys = new Set(range(TOTAL).map((n) => workKey(account(n % 202), n < 202 ? 'computeOptimizer' : 'automation')));
  const totals = { now: 202, followUps: 88, optOuts: 0, calls: 204 };

  /** The lines of a run with one event every `each` ms. */
  function linesOf(events: readonly Progress[], each: number): string[] {
    const { written, out, err } = streams();
    const output = new Output(out, err, { json: false, color: 'never' });
    let now = Date.UTC(2026, 0, 1, 12);
    const progress = new RunProgress({ output, now: () => now, stream: process.stderr, mode: 'lines' });
    progress.begin({});
    for (const event of events) {
      progress.take(event);
      now += each;
    }
    progress.end();
    return written.err.split('\n').filter((line) => line.includes('changes'));
  }

  const worked = (n: number, outcome: WorkOutcome): Progress => {
    const enrollment = n < 202 ? 'computeOptimizer' : 'automation';
    return { kind: 'worked', outcome, accountId: account(n % 202), enrollment };
  };
  const queued: Progress = { kind: 'queued', messages: 5, totals, keys };

  test('relates to the whole plan, and counts each change once, however often it is attempted', () => {
    const again = range(TOTAL).flatMap((n) =>
      (['converging', 'retrying', 'resolved', 'resolved'] as const).map((outcome) => worked(n, outcome)),
    );
    const other = range(50).map((n) => worked(1_000 + n, 'resolved'));
    const lines = linesOf([queued, ...other, ...again], 50);
    expect(lines[0]).toContain('290 changes: 202 now, 88 after Compute Optimizer');
    const counts = lines.flatMap((line) => line.match(/(\d+) of 290 changes \(\d+%\)/)?.[1] ?? []).map(Number);
    expect(counts.length).toBeGreaterThan(10);
    expect(Math.max(...counts)).toBe(TOTAL);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(lines.at(-1)).toContain('290 of 290 changes (100%): 290 confirmed, 0 failed');
    expect(lines.at(-1)).not.toContain('left');
  });

  test('shows the time left only once it can be estimated, and then correctly', () => {
    const lines = linesOf([queued, ...range(145).map((n) => worked(n, n % 29 === 0 ? 'dead' : 'resolved'))], 1_000);
    const left = lines.filter((line) => line.includes(' left'));
    expect(lines.find((line) => line.includes('(3%)'))).not.toContain('left');
    expect(left[0]).toMatch(/^remediating.*\(5%\): .*about \d+m \d\ds left/);
    // One change per second: half of them are done after 146 s, so 146 s are left.
    expect(lines.at(-1)).toContain('145 of 290 changes (50%): 140 confirmed, 5 failed, about 2m 26s left');
  });
});

test('the dashboard describes a plan in the same words as the command line', () => {
  const each = fc.nat({ max: 499 });
  fc.assert(
    fc.property(each, each, (now, followUps) => {
      expect(dashboardText({ now, followUps })).toBe(changesText({ now, followUps }));
    }),
  );
  expect(changesText({ now: 202, followUps: 88 })).toBe('290 changes: 202 now, 88 after Compute Optimizer');
  expect(changesText({ now: 1, followUps: 0 })).toBe('1 change');
});

describe('output', () => {
  test('a failed stream is not written to again, and only a lost result is reported', () => {
    const { written, out, err } = streams();
    const listeners: ((error: Error) => void)[] = [];
    const listening = (stream: typeof out) => ({
      ...stream,
      on: (_event: 'error', listener: (error: Error) => void) => listeners.push(listener),
    });
    const output = new Output(listening(out), listening(err), { json: false, color: 'never' });
    output.print('one');
    listeners[0]?.(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    output.print('two');
    output.note('three');
    expect(written).toEqual({ out: 'one\n', err: 'three\n' });
    expect(output.unread.aborted).toBe(false);
    listeners[1]?.(Object.assign(new Error('full'), { code: 'EBADF' }));
    expect(output.unread.aborted).toBe(true);
    expect(output.lostResult).toBeNull();
    const other = new Output(listening(out), listening(err), { json: false, color: 'never' });
    listeners[2]?.(Object.assign(new Error('odd'), { code: 'EBADF' }));
    expect(other.lostResult).toBe('EBADF');
  });
});

describe('interrupts', () => {
  const rig = () => {
    const handlers: ((signal: 'SIGINT' | 'SIGTERM') => void)[] = [];
    const exits: number[] = [];
    const timers: { readonly ms: number; readonly run: () => void }[] = [];
    const time = { now: 0 };
    const source = { on: (_event: string, handler: (signal: 'SIGINT' | 'SIGTERM') => void) => handlers.push(handler) };
    const interrupt = listenForInterrupts(
      source,
      () => time.now,
      (code) => exits.push(code),
      (ms, run) => timers.push({ ms, run }),
    );
    const send = (signal: 'SIGINT' | 'SIGTERM'): void => handlers[0]?.(signal);
    return { interrupt, exits, time, timers, send };
  };

  test('end a command that has no work to finish', () => {
    const { exits, send } = rig();
    send('SIGINT');
    expect(exits).toEqual([130]);
  });

  test('the first one requests a graceful end, its copy from npm does not count, and the second one exits', () => {
    const { interrupt, exits, time, send } = rig();
    const notes: string[] = [];
    interrupt.finishGracefully(() => notes.push('stopping'));
    send('SIGINT');
    send('SIGINT');
    expect([notes, exits, interrupt.signal.aborted]).toEqual([['stopping'], [], true]);
    time.now = 400;
    send('SIGINT');
    expect([notes, exits]).toEqual([['stopping'], [130]]);
  });

  test('the process exits when its time to finish is over', () => {
    const { interrupt, exits, timers, send } = rig();
    const notes: string[] = [];
    const end = (): number => {
      notes.push('not in time');
      return 0;
    };
    interrupt.finishGracefully(() => notes.push('stopping'), { ms: 25_000, end });
    expect(timers).toEqual([]);
    send('SIGTERM');
    expect([notes, exits, timers.map(({ ms }) => ms)]).toEqual([['stopping'], [], [25_000]]);
    timers[0]?.run();
    expect([notes, exits]).toEqual([['stopping', 'not in time'], [0]]);
  });

  test('SIGTERM exits 143', () => {
    const { interrupt, send } = rig();
    interrupt.finishGracefully(() => undefined);
    send('SIGTERM');
    expect(interrupt.exitCode).toBe(143);
  });
});

test('the demo removes all AWS settings of the machine', () => {
  const env: Record<string, string | undefined> = {
    AWS_PROFILE: 'prod',
    AWS_ENDPOINT_URL_STS: 'https://real',
    PATH: '/bin',
  };
  useSandboxOnly(env, { endpoint: 'http://x', accountId: '1', nowhere: '/n' });
  expect(env['AWS_PROFILE']).toBeUndefined();
  expect(env['AWS_ENDPOINT_URL_STS']).toBeUndefined();
  expect(env).toMatchObject({ PATH: '/bin', AWS_ENDPOINT_URL: 'http://x', AWS_ACCESS_KEY_ID: '1' });
});

test('the calls of a run are the difference of two counts', () => {
  const before = { 'a:A': { count: 2, throttled: 1 }, 'b:B': { count: 1, throttled: 0 } };
  const now = {
    'a:A': { count: 5, throttled: 1 },
    'b:B': { count: 1, throttled: 0 },
    'c:C': { count: 1, throttled: 1 },
  };
  expect(since(before, now)).toEqual({ 'a:A': { count: 3, throttled: 0 }, 'c:C': { count: 1, throttled: 1 } });
});

test.each<[string, Partial<CloudErrorDetails>, string]>([
  ['a rejected page token', { kind: 'Invalid', code: 'InvalidInputException' }, 'The listing is incomplete'],
  ['endless throttling', { kind: 'Throttled', code: 'TooManyRequestsException' }, 'then run the command again'],
  ['an internal error of AWS', { kind: 'Transient', code: 'ServiceException' }, 'Run the command again later'],
  ['a rejected key', { kind: 'Unauthenticated', code: 'SignatureDoesNotMatch' }, 'AWS_REGION'],
])('%s is reported with what to do', (_name, over, words) => {
  const details: CloudErrorDetails = {
    ...{ kind: 'Invalid', code: '', service: 'organizations', operation: 'ListAccounts', accountId: null },
    ...{ requestId: 'r-1', ambiguous: false },
    ...over,
  };
  const { message } = reportOf(new CloudError('ListAccounts failed.', details));
  expect(message).toMatch(/^ListAccounts failed\. [A-Z]/);
  expect(message).toContain(words);
});

test('an unexpected error is reported as internal, without its stack', () => {
  const report = reportOf(new TypeError('x is not a function'));
  expect(report).toMatchObject({ code: 'Internal' });
  expect(report.message).toContain('x is not a function');
  expect(report.message).toContain('--verbose');
  const full = new StoreError({
    code: 'DiskFull',
    resource: '/d',
    found: 'the disk is full',
    remedy: 'Free some space.',
  });
  expect(reportOf(full)).toEqual({ code: 'DiskFull', message: '/d: the disk is full. Free some space.' });
});
