import { describe, expect, test } from 'vitest';
import { RunCache } from '../../../../shared/app/queries/run-cache.ts';
import { manualClock } from '../../../support/manual-clock.ts';

interface Run {
  readonly n: number;
  readonly traced: { readonly changes: readonly unknown[] };
}

function place() {
  const clock = manualClock();
  const cache = new RunCache<Run>(clock);
  let reads = 0;
  const read = (runId: string, isLatest: boolean, changes = 1) =>
    cache.get(runId, isLatest, async () => {
      reads += 1;
      return { n: reads, traced: { changes: Array.from({ length: changes }) } };
    });
  return { clock, cache, read, reads: () => reads };
}

describe('runs in memory', () => {
  test('the newest is read again after a second, the others after ten', async () => {
    const { clock, read } = place();
    expect([await read('new', true), await read('new', true)]).toMatchObject([{ n: 1 }, { n: 1 }]);
    expect(await read('old', false)).toMatchObject({ n: 2 });
    await clock.advance(1_000);
    expect([await read('new', true), await read('old', false)]).toMatchObject([{ n: 3 }, { n: 2 }]);
    await clock.advance(9_000);
    expect(await read('old', false)).toMatchObject({ n: 4 });
  });

  test('simultaneous readers share one read, and a failed one is not kept', async () => {
    const { cache, read, reads } = place();
    await Promise.all([read('a', true), read('a', true)]);
    expect(reads()).toBe(1);
    const broken = () => cache.get('b', true, () => Promise.reject(new Error('the disk is gone')));
    await expect(broken()).rejects.toThrow('the disk is gone');
    expect(await read('b', true)).toMatchObject({ n: 2 });
  });

  test('large runs push the others out', async () => {
    const { read, reads } = place();
    await read('a', false, 15_000);
    await read('b', false, 15_000);
    await read('b', false);
    expect(reads()).toBe(2);
    await read('a', false);
    expect(reads()).toBe(3);
  });
});
