/** A SHA-256 in hexadecimal digits. */
const HASH = /\b[0-9a-f]{64}\b/g;
/** ISO 8601 in UTC, as `toIso` writes it. */
const TIME = /\b(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}):\d{2}\.\d{3}Z/g;

/**
 * The message of an entry for a list: hashes have their first digits, and times are to the minute (`2026-12-09 06:12 UTC`). The entry itself has both in
 * full.
 */
export function briefMessage(message: string, hashDigits: number): string {
  return message.replace(HASH, (hash) => hash.slice(0, hashDigits)).replace(TIME, '$1 $2 UTC');
}
