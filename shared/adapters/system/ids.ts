import { randomBytes } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import type { Clock, NewId, Random } from '../../ports/system.ts';

const PAGE_BYTES = 4096;

/**
 * Random numbers made from one random byte each, which is enough for a digit of a ULID (base 32). Reads a page of bytes in one call, which
 * costs as much as reading one byte.
 */
function pagedRandom(): Random {
  let page = new Uint8Array(0);
  let used = 0;
  return () => {
    if (used === page.length) {
      page = randomBytes(PAGE_BYTES);
      used = 0;
    }
    const byte = page[used] ?? 0;
    used += 1;
    return byte / 256;
  };
}

/**
 * ULIDs: 48 bits of time (epoch ms) and 80 random bits in 26 characters whose order as text is the order of creation. Within one process each
 * id is greater than the one before, even within one millisecond and after the clock is set back: then the random part is
 * incremented.
 * @param random replaced in tests.
 */
export function makeNewId(clock: Pick<Clock, 'now'>, random: Random = pagedRandom()): NewId {
  const next = monotonicFactory(random);
  // At least 1, because the library replaces the time 0 by the real time.
  return () => next(Math.max(1, Math.floor(clock.now())));
}
