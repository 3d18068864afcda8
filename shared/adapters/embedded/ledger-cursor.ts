import * as z from 'zod';
import { makeCursor } from '../../ports/cursor.ts';

/** The version, the time (epoch ms) of the page's last entry, and that entry's position in the order of storing. */
export const ledgerCursor = makeCursor(z.tuple([z.literal(1), z.int(), z.int().positive()]));
