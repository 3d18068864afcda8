import { describe, expect, it } from 'vitest';
import { createRetrying } from '../../../../shared/app/support/retry.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { cloudError } from '../../../support/memory-cloud.ts';

describe('retrying', () => {
  const throttled = cloudError('Throttled', 'ThrottlingException');

  async function attempts(random: () => number, budgetMs: number, failures: number, error: Error = throttled) {
    const clock = manualClock(0);
    const times: number[] = [];
    const retrying = createRetrying(clock, random, budgetMs);
    const work = retrying(async () => {
      times.push(clock.now());
      if (times.length <= failures) throw error;
      return 'done';
    });
    let end: unknown = null;
    const ended = work.then(
      (value) => (end = value),
      (failure: unknown) => (end = failure),
    );
    for (let turn = 0; end === null && turn < 200; turn += 1) await clock.advanceToNext();
    await ended;
    return { times, end };
  }

  it('pauses longer each time, up to a maximum', async () => {
    const { times, end } = await attempts(() => 0.999_999, 60_000, 8);
    expect(end).toBe('done');
    const pauses = times.slice(1).map((time, n) => Math.round(time - (times[n] ?? 0)));
    expect(pauses).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it('uses full jitter: a pause may be zero', async () => {
    expect((await attempts(() => 0, 60_000, 5)).times).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('ends when its budget is used up and throws the last error', async () => {
    const { times, end } = await attempts(() => 0.999_999, 1_000, 99);
    expect(end).toBe(throttled);
    expect(times.at(-1)).toBeLessThan(2_000);
  });

  it('does not retry permanent errors', async () => {
    for (const error of [cloudError('Denied', 'AccessDenied'), new TypeError('a defect')]) {
      const { times, end } = await attempts(() => 0, 60_000, 9, error);
      expect(end).toBe(error);
      expect(times).toHaveLength(1);
    }
  });
});
