import type { EpochMs } from './enrollment/model.ts';

/** Crockford's base 32. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ULID = new RegExp(`^[0-7][${DIGITS}]{25}$`);
/** A ULID begins with its time in ms. */
const TIME_LENGTH = 10;

/** When an id was created, by the clock of the process that created it; `null`: not a ULID. */
export function ulidTime(id: string): EpochMs | null {
  if (!ULID.test(id)) return null;
  return [...id.slice(0, TIME_LENGTH)].reduce((sum, digit) => sum * DIGITS.length + DIGITS.indexOf(digit), 0);
}
