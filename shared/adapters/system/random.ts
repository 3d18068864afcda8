import { randomBytes } from 'node:crypto';
import type { Random } from '../../ports/system.ts';

/** 53 random bits from the operating system. */
export const systemRandom: Random = () => {
  const bytes = randomBytes(7);
  const high = bytes.readUIntBE(0, 3) & 0x1fffff;
  return (high * 2 ** 32 + bytes.readUInt32BE(3)) / 2 ** 53;
};
