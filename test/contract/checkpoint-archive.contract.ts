import fc from 'fast-check';
import { expect } from 'vitest';
import { ArchiveError, type CheckpointArchive } from '../../shared/ports/checkpoint-archive.ts';
import { contractOf } from './contract.ts';

const ORIGIN = 'rollcall/o-abc1234567/k3v9x2ab';

/** A note of the right form; an archive verifies nothing. */
export function noteOf(size: number, { origin = ORIGIN, root = 'AAAA', signature = 'AAAAAAAA' } = {}): string {
  return `${origin}\n${size}\n${root}\n\n— ${origin} ${signature}\n`;
}

const sizes = fc.uniqueArray(fc.oneof(fc.nat(2_000), fc.nat(Number.MAX_SAFE_INTEGER)), { minLength: 1, maxLength: 12 });

export const checkpointArchiveContract = contractOf<CheckpointArchive>()('CheckpointArchive', {
  async 'an empty archive has no newest checkpoint'({ port }) {
    expect(await port.newest(ORIGIN)).toBeNull();
    expect(port.label).not.toBe('');
  },

  async 'the newest checkpoint is the one with the most entries, in whatever order they were kept'({ port, another }) {
    const other = await another();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(sizes, async (kept) => {
        run += 1;
        const origin = `${ORIGIN}-${run}`;
        let largest = -1;
        for (const size of kept) {
          await port.keep({ origin, size, note: noteOf(size, { origin }) });
          largest = Math.max(largest, size);
          expect(await port.newest(origin)).toBe(noteOf(largest, { origin }));
        }
        expect(await other.newest(origin)).toBe(noteOf(largest, { origin }));
      }),
      { numRuns: 15 },
    );
  },

  async 'what another client has kept is seen'({ port, another }) {
    const other = await another();
    for (const size of [3, 5, 8]) {
      await (size === 5 ? other : port).keep({ origin: ORIGIN, size, note: noteOf(size) });
      expect(await port.newest(ORIGIN)).toBe(noteOf(size));
      expect(await other.newest(ORIGIN)).toBe(noteOf(size));
    }
  },

  async 'the same checkpoint can be kept again, and keeps its first signatures'({ port, another }) {
    await port.keep({ origin: ORIGIN, size: 7, note: noteOf(7) });
    await port.keep({ origin: ORIGIN, size: 7, note: noteOf(7) });
    await (await another()).keep({ origin: ORIGIN, size: 7, note: noteOf(7, { signature: 'BBBBBBBB' }) });
    expect(await port.newest(ORIGIN)).toBe(noteOf(7));
  },

  async 'another checkpoint of the same size is a conflict, and replaces nothing'({ port, another }) {
    await port.keep({ origin: ORIGIN, size: 7, note: noteOf(7) });
    const other = await another();
    const error = await other
      .keep({ origin: ORIGIN, size: 7, note: noteOf(7, { root: 'BBBB' }) })
      .catch((thrown: unknown) => thrown);
    if (!(error instanceof ArchiveError)) throw new Error('no ArchiveError');
    expect(error.kind).toBe('conflict');
    expect(error.message).toContain(`another checkpoint of the log ${ORIGIN} with 7 entries`);
    expect(await port.newest(ORIGIN)).toBe(noteOf(7));
  },

  async 'of two clients that keep different checkpoints at the same time, one gets a conflict'({ port, another }) {
    const other = await another();
    const results = await Promise.allSettled([
      port.keep({ origin: ORIGIN, size: 7, note: noteOf(7) }),
      other.keep({ origin: ORIGIN, size: 7, note: noteOf(7, { root: 'BBBB' }) }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  },

  async 'logs are kept apart, also if one origin begins with another'({ port }) {
    const origins = ['a', 'a/b', 'a/b/c', 'a/0000000000000001.txt', 'ab', 'a b', 'a+b', 'ä/%2F', '日本'];
    for (const [n, origin] of origins.entries()) {
      await port.keep({ origin, size: n, note: noteOf(n, { origin }) });
    }
    for (const [n, origin] of origins.entries()) expect(await port.newest(origin)).toBe(noteOf(n, { origin }));
    expect(await port.newest('b')).toBeNull();
  },
});
