import { describe, expect, test } from 'vitest';
import { since } from '../../../services/cli/run-once.ts';
import { Output } from '../../../services/cli/ui/output.ts';
import { RunProgress } from '../../../services/cli/ui/progress.ts';
import type { Progress, WorkOutcome } from '../../../shared/app/context.ts';
import { workKey } from '../../../shared/app/plan/planned-work.ts';
import { account, range } from '../../contract/samples.ts';
import { streams } from './support.ts';

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

test('the calls of a run are the difference of two counts', () => {
  const before = { 'a:A': { count: 2, throttled: 1 }, 'b:B': { count: 1, throttled: 0 } };
  const now = {
    'a:A': { count: 5, throttled: 1 },
    'b:B': { count: 1, throttled: 0 },
    'c:C': { count: 1, throttled: 1 },
  };
  expect(since(before, now)).toEqual({ 'a:A': { count: 3, throttled: 0 }, 'c:C': { count: 1, throttled: 1 } });
});
