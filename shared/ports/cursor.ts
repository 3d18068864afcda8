import type * as z from 'zod';
import { BadCursorError } from './ledger.ts';

/** Encodes the place where a page of a list ended as text that is opaque to callers and safe in a URL. */
export interface Cursor<T> {
  encode(place: T): string;
  /** @throws BadCursorError for any text that `encode` does not produce. */
  decode(cursor: string): T;
}

const INVALID = 'This cursor is invalid';

export function makeCursor<T extends readonly unknown[]>(schema: z.ZodType<T>): Cursor<T> {
  const encode = (place: T): string => Buffer.from(JSON.stringify(place)).toString('base64url');
  return {
    encode,
    decode(cursor) {
      let place: T;
      try {
        place = schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
      } catch (cause) {
        throw new BadCursorError(INVALID, { cause });
      }
      // Decoding ignores invalid characters, so a damaged cursor is only noticed when it does not encode to the same text.
      if (encode(place) !== cursor) throw new BadCursorError(INVALID);
      return place;
    },
  };
}
