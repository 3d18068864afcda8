import * as z from 'zod';
import { makeCursor } from '../../../ports/cursor.ts';

/** The cursor's version, and the sort key `time` of the page's last entry. */
export const ledgerCursor = makeCursor(z.tuple([z.literal(1), z.string().regex(/^\d{16}#[\s\S]+#\d{12}$/)]));
