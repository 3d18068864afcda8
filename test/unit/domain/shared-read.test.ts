import { describe, expect, test } from 'vitest';
import { SharedRead } from '../../../shared/domain/shared-read.ts';

/** A computation that ends when it is told to; `begun` counts. */
function computation() {
  const ends: (() => void)[] = [];
  return {
    ends,
    make: () => new Promise<number>((resolve) => void ends.push(() => resolve(ends.length))),
  };
}

describe('a read that is shared', () => {
  test('callers that ask during a read share the next one, which begins after it', async () => {
    const read = new SharedRead<number>();
    const { ends, make } = computation();
    const first = read.get(make);
    const others = [read.get(make), read.get(make), read.get(make)];
    expect(ends).toHaveLength(1);
    ends[0]?.();
    expect(await first).toBe(1);
    while (ends.length < 2) await Promise.resolve();
    const last = read.get(make);
    ends[1]?.();
    expect(await Promise.all(others)).toEqual([2, 2, 2]);
    while (ends.length < 3) await Promise.resolve();
    ends[2]?.();
    expect(await last).toBe(3);
    const again = read.get(make);
    expect(ends).toHaveLength(4);
    ends[3]?.();
    await again;
  });

  test('an error is for those who shared it; the next one begins anyway', async () => {
    const read = new SharedRead<string>();
    const failing = read.get(() => Promise.reject(new Error('broken')));
    const next = read.get(async () => 'fine');
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('fine');
  });
});
