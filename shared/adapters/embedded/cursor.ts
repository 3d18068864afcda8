import * as z from 'zod';
import { BadCursorError } from '../../ports/ledger.ts';

/** Where a page ended: the time (epoch ms) of its last entry, and its place in the order of storing. */
export interface Place {
  readonly at: number;
  readonly position: number;
}

const cursorSchema = z.tuple([z.literal(1), z.int(), z.int().positive()]);

/** Opaque to callers; safe in an address. */
export function encodeCursor({ at, position }: Place): string {
  return Buffer.from(JSON.stringify([1, at, position])).toString('base64url');
}

/** @throws BadCursorError for anything that {@link encodeCursor} does not make. */
export function decodeCursor(cursor: string): Place {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch (cause) {
    throw new BadCursorError('this cursor is none of ours: it cannot be decoded', { cause });
  }
  const parsed = cursorSchema.safeParse(content);
  if (!parsed.success) throw new BadCursorError('this cursor is none of ours', { cause: parsed.error });
  const [, at, position] = parsed.data;
  const place = { at, position };
  // Base64 decoding skips what it does not know; a cursor that was tampered with shows by not coming out the same.
  if (encodeCursor(place) !== cursor) throw new BadCursorError('this cursor is none of ours: it was changed');
  return place;
}
