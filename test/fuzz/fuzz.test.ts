import { describe, expect, it } from 'vitest';
import { chanceOf, seedOf } from './chance.ts';
import { mutateBytes, mutateJson, mutateTexts } from './mutate.ts';
import { runTarget, shared } from './run.ts';
import { Finding, type Target, take } from './target.ts';
import { TARGETS } from './targets/index.ts';

/** Fixed, so that results are stable. `npm run fuzz` uses a new seed each time. */
const SEED = 1;
const CASES = 2_000;

describe('hostile input', () => {
  it.each(shared(TARGETS, CASES).map(([target, cases]) => [target.name, target, cases] as const))(
    '%s: every case is used or refused clearly',
    async (_, target, cases) => {
      const { found, accepted, refused } = await runTarget(target, { cases, seed: SEED });
      expect(found, `npm run fuzz -- --target ${target.name} --seed ${SEED}`).toEqual([]);
      // Some cases are accepted and some are refused.
      expect(accepted).toBeGreaterThan(0);
      expect(refused > 0).toBe(target.takesAll !== true);
    },
  );
});

describe('the fuzzer itself', () => {
  const target = (read: () => unknown): Target => ({
    name: 'a target',
    share: 1,
    open: async () => ({
      make: () => take('the input', read, (error) => error instanceof RangeError),
      corpus: [],
      close: async () => undefined,
    }),
  });

  it('reports an undeclared error with the input that caused it', async () => {
    const broken = target(() => {
      throw new TypeError('x is undefined');
    });
    const { found } = await runTarget(broken, { cases: 5, seed: 1 });
    expect(found).toMatchObject([{ index: 0, input: 'the input', message: expect.stringMatching(/TypeError: x is/) }]);
  });

  it('accepts a declared error, and rethrows a Finding', async () => {
    const refusing = target(() => {
      throw new RangeError('out of range');
    });
    expect(await runTarget(refusing, { cases: 5, seed: 1 })).toMatchObject({ found: [], refused: 5 });
    const finding = target(() => {
      throw new Finding('wrong', 'this');
    });
    expect((await runTarget(finding, { cases: 1, seed: 1 })).found).toMatchObject([
      { message: 'wrong', input: 'this' },
    ]);
  });

  it('finds a case that takes longer than a second', async () => {
    const slow = target(() => {
      const before = process.threadCpuUsage();
      for (;;) {
        const { user, system } = process.threadCpuUsage(before);
        if (user + system > 1_100_000) return;
      }
    });
    expect((await runTarget(slow, { cases: 1, seed: 1 })).found).toMatchObject([
      { message: expect.stringMatching(/^took/) },
    ]);
  });

  it('makes the same case of the same seed', () => {
    const valid = { a: ['b', { c: 1 }], d: 'text' };
    const make = (n: number) => {
      const chance = chanceOf(seedOf('x', n));
      return [mutateJson(valid, chance), mutateTexts('version: 1', chance), mutateBytes(Buffer.from('abc'), chance)];
    };
    expect(make(1)).toEqual(make(1));
    expect(make(1)).not.toEqual(make(2));
  });
});
