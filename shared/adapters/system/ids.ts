import { randomBytes } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import type { Clock, NewId, Random } from '../../ports/system.ts';

const PAGE_BYTES = 4096;

/** Random numbers of one byte each, enough for a digit of a ULID (base 32). Reads many bytes in one call, which costs as much as reading one. */
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
 * ULIDs: 26 characters that sort by time of creation. In one process, each id is greater than the one before, even within one millisecond or after the
 * clock was set back.
 */
export function makeNewId(clock: Pick<Clock, 'now'>, random: Random = pagedRandom()): NewId {
  const next = monotonicFactory(random);
  // At least 1, because the library replaces 0 by the real time.
  return () => next(Math.max(1, Math.floor(clock.now())));
}
