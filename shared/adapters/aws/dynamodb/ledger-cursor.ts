import * as z from 'zod';
import { BadCursorError } from '../../../ports/ledger.ts';

/** Where a page ended: the `time` of its last entry, which is its place in every index. */
const cursorSchema = z.tuple([z.literal(1), z.string().regex(/^\d{16}#[\s\S]+#\d{12}$/)]);

/** Opaque to callers; safe in an address. */
export function encodeCursor(time: string): string {
  return Buffer.from(JSON.stringify([1, time])).toString('base64url');
}

/** @throws BadCursorError for anything that {@link encodeCursor} does not make. */
export function decodeCursor(cursor: string): string {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch (cause) {
    throw new BadCursorError('this cursor is none of ours: it cannot be decoded', { cause });
  }
  const parsed = cursorSchema.safeParse(content);
  if (!parsed.success) throw new BadCursorError('this cursor is none of ours', { cause: parsed.error });
  const [, time] = parsed.data;
  // Base64 decoding skips what it does not know; a cursor that was tampered with shows by not coming out the same.
  if (encodeCursor(time) !== cursor) throw new BadCursorError('this cursor is none of ours: it was changed');
  return time;
}
