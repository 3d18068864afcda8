import { sha256Hex } from '../../../../domain/crypto.ts';

/**
 * A UUID that follows from a name, so that the same evidence has the same UUIDs. In the form of version 5, because OSCAL allows only versions 4 and 5, but
 * from SHA-256.
 */
export function uuidOf(...name: readonly string[]): string {
  const digits = sha256Hex(JSON.stringify(['rollcall', ...name]));
  // The first digit of the fourth group has the variant: 8, 9, a or b.
  const variant = '89ab'[Number.parseInt(digits.charAt(16), 16) % 4] ?? '8';
  const groups = [digits.slice(0, 8), digits.slice(8, 12), `5${digits.slice(13, 16)}`];
  return [...groups, `${variant}${digits.slice(17, 20)}`, digits.slice(20, 32)].join('-');
}
