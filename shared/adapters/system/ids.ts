import { randomBytes } from 'node:crypto';
import type { Clock, NewId } from '../../ports/system.ts';

/** Crockford's base 32: no I, L, O, U. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_BITS = 80n;
const LARGEST_TIME = 2 ** 48 - 1;

const POOL = 4096;

/** Random bytes, asked of the system by the page: asking for ten of them costs as much as for thousands. */
function pooled(): (size: number) => Uint8Array {
  let pool = new Uint8Array(0);
  let used = 0;
  return (size) => {
    if (used + size > pool.length) {
      pool = randomBytes(Math.max(POOL, size));
      used = 0;
    }
    used += size;
    return pool.subarray(used - size, used);
  };
}

function toBase32(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest >>= 5n) text = (DIGITS[Number(rest & 31n)] ?? '') + text;
  return text;
}

/**
 * Ids in the form of a ULID: 48 bits of time (epoch ms) and 80 random bits in 26 characters of Crockford's base 32, so that their
 * order as text is the order of their making. Within the process each is greater than the one before, also
 * within one millisecond and when the clock is set back: then the last one is counted up.
 * @param bytes gives that many random bytes; replaced in tests and simulations.
 */
export function makeNewId(clock: Pick<Clock, 'now'>, bytes: (size: number) => Uint8Array = pooled()): NewId {
  let last = -1n;
  return () => {
    const time = BigInt(Math.min(Math.max(0, Math.floor(clock.now())), LARGEST_TIME));
    let chance = 0n;
    for (const byte of bytes(Number(RANDOM_BITS) / 8)) chance = (chance << 8n) | BigInt(byte);
    const fresh = (time << RANDOM_BITS) | chance;
    last = time > last >> RANDOM_BITS ? fresh : last + 1n;
    return toBase32(last, 26);
  };
}
