import { describe, expect, test } from 'vitest';
import { since } from '../../../services/cli/run-once.ts';
import { Output } from '../../../services/cli/ui/output.ts';
import { RunProgress } from '../../../services/cli/ui/progress.ts';
import type { Progress, WorkOutcome } from '../../../shared/app/context.ts';
import { workKey } from '../../../shared/app/plan/planned-work.ts';
import { account, range } from '../../contract/samples.ts';
import { streams } from './support.ts';

const START = Date.UTC(2026, 11, 1, 9, 41, 5);

function begin(clock: { now: number }, mode: 'lines' | 'live' = 'lines') {
  const { written, out, err } = streams();
  const output = new Output(out, err, { json: false, color: 'never' });
  const calls = { 'a:A': { count: 471, throttled: 0 } };
  const progress = new RunProgress({ output, now: () => clock.now, stream: process.stderr, mode });
  if (mode === 'lines') progress.begin(calls);
  return { written, progress, calls };
}

describe('reading, in lines', () => {
  test('shows a wait immediately, and else a line each 10 s', () => {
    const clock = { now: START };
    const { written, progress } = begin(clock);
    progress.take({ kind: 'waitingForLease', holder: 'x', until: START + 42_000 });
    progress.take({ kind: 'organization', accounts: 118, done: true });
    clock.now += 10_000;
    progress.take({ kind: 'listing', listing: 'computeOptimizer', accounts: 84 });
    clock.now += 9_000;
    progress.take({ kind: 'listing', listing: 'computeOptimizer', accounts: 118 });
    progress.end();
    expect(written.err.split('\n')).toEqual([
      '09:41:05Z waiting for another scan to finish (until 09:41:47 UTC if its process has died)',
      '09:41:15Z reading enrollments: 84 of 118 accounts',
      '',
    ]);
  });
});

describe('the progress of changes', () => {
  const TOTAL = 290;
  const keyAt = (n: number): readonly [string, 'computeOptimizer' | 'automation'] => [
    account(n % 202),
    n < 202 ? 'computeOptimizer' : 'automation',
  ];
  const keys = new Set(range(TOTAL).map((n) => workKey(...keyAt(n))));
  const totals = { now: 202, followUps: 88, optOuts: 0, calls: 204 };
  const queued: Progress = { kind: 'queued', messages: 5, totals, keys };

  const worked = (n: number, outcome: WorkOutcome): Progress => {
    const [accountId, enrollment] = keyAt(n);
    return { kind: 'worked', outcome, accountId, enrollment };
  };

  /** The lines of a run with one event every `each` ms. */
  function linesOf(events: readonly Progress[], each: number): string[] {
    const clock = { now: START };
    const { written, progress } = begin(clock);
    for (const event of events) {
      progress.take(event);
      clock.now += each;
    }
    progress.end();
    return written.err.trimEnd().split('\n');
  }

  test('says on a separate line that it waits for another process, and until when', () => {
    const until = START + 65_000;
    const wait: Progress = { kind: 'waiting', until, cause: { kind: 'otherProcess', messages: 8 } };
    const claim: Progress = { kind: 'waiting', until, cause: { kind: 'claim', accountId: account(1) } };
    const lines = linesOf([queued, worked(0, 'resolved'), wait, wait, wait, claim, claim], 500);
    expect(lines.slice(1, -1)).toEqual([
      '09:41:06Z waiting for another process, which has taken 8 pieces of work (until 09:42:10 UTC at the latest)',
      `09:41:07Z waiting for a change of ${account(1)} that another process has begun (until 09:42:10 UTC if that process has died)`,
    ]);
  });

  test('names the target of the configuration that AWS is still applying', () => {
    const until = START + 30_000;
    const wait: Progress = { kind: 'waiting', until, cause: { kind: 'configuration', target: '/Workloads' } };
    expect(linesOf([queued, wait], 10_000).slice(1, -1)).toEqual([
      '09:41:15Z progress: 0 of 290 changes (0%), 0 failed, waiting for AWS to apply the configuration of /Workloads',
    ]);
  });

  test('counts the changes of other runs at the end', () => {
    const mine = range(100).map((n) => worked(n, 'resolved'));
    // Another process has worked on some of the changes of this run.
    const [confirmed, byOtherRuns] = [new Set([...keys].slice(0, 200)), new Set([...keys].slice(200))];
    const lines = linesOf([queued, ...mine, { kind: 'concluded', confirmed, byOtherRuns }], 10);
    expect(lines.at(-1)).toMatch(/progress: 290 of 290 changes \(100%\), 0 failed$/);
  });

  test('relates to the whole plan, and counts each change once, however often it is attempted', () => {
    const again = range(TOTAL).flatMap((n) =>
      (['converging', 'retrying', 'resolved', 'resolved'] as const).map((outcome) => worked(n, outcome)),
    );
    const other = range(50).map((n) => worked(1_000 + n, 'resolved'));
    const lines = linesOf([queued, ...other, ...again], 500);
    expect(lines[0]).toBe('09:41:05Z plan: 290 changes to 202 accounts: 202 now, 88 after Compute Optimizer');
    const counts = lines.flatMap((line) => line.match(/(\d+) of 290 changes \(\d+%\)/)?.[1] ?? []).map(Number);
    expect(counts.length).toBeGreaterThan(10);
    expect(Math.max(...counts)).toBe(TOTAL);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(lines.at(-1)).toMatch(/^\d\d:\d\d:\d\dZ progress: 290 of 290 changes \(100%\), 0 failed$/);
    const seconds = lines.slice(0, -1).map((line) => Date.parse(`2026-12-01T${line.slice(0, 9)}`));
    for (const [at, time] of seconds.entries()) if (at > 0) expect(time - (seconds[at - 1] ?? 0)).toBe(10_000);
  });

  test('shows the time left only once it can be estimated, and then correctly', () => {
    const lines = linesOf([queued, ...range(145).map((n) => worked(n, n % 29 === 0 ? 'dead' : 'resolved'))], 1_000);
    expect(lines[1]).toBe('09:41:15Z progress: 10 of 290 changes (3%), 1 failed');
    // One change per second.
    const halfway = lines.find((line) => line.includes('140 of 290'));
    expect(halfway).toBe('09:43:25Z progress: 140 of 290 changes (48%), 5 failed, about 2m 30s left');
  });

  test('is a bar of two lines on a terminal', () => {
    const clock = { now: START };
    const { progress, calls } = begin(clock, 'live');
    expect(progress.frame(false)).toEqual(['Reading the organization']);
    progress.take({ kind: 'organization', accounts: 118, done: true });
    progress.take({ kind: 'listing', listing: 'computeOptimizer', accounts: 84 });
    expect(progress.frame(false)).toEqual(['Reading enrollments: 84 of 118 accounts']);
    progress.take(queued);
    for (const n of range(145)) {
      clock.now += 100;
      progress.take(worked(n, 'resolved'));
    }
    for (const n of range(8)) progress.take(worked(145 + n, 'converging'));
    expect(progress.frame(false)).toEqual([
      'Remediating  ███████████████░░░░░░░░░░░░░░░  50%  145 of 290 changes',
      expect.stringMatching(/^ {2}145 confirmed, 0 failed, 8 in progress · about 1[0-6]s left$/),
    ]);
    progress.begin({ ...calls, 'b:B': { count: 12, throttled: 12 } });
    progress.end();
    for (const n of range(TOTAL)) progress.take(worked(n, n === 7 ? 'dead' : 'resolved'));
    expect(progress.frame(true)).toEqual([
      'Remediating  ██████████████████████████████ 100%  290 of 290 changes',
      '  289 confirmed, 1 failed · 14s · 483 AWS calls · slowed by AWS (12 calls throttled)',
    ]);
  });
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
