import * as z from 'zod';
import { makeCursor } from '../../../ports/cursor.ts';

/** The version, and the `time` of the page's last entry, which is its place in every index. */
export const ledgerCursor = makeCursor(z.tuple([z.literal(1), z.string().regex(/^\d{16}#[\s\S]+#\d{12}$/)]));
