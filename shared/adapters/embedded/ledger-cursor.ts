import * as z from 'zod';
import { makeCursor } from '../../ports/cursor.ts';

/** The cursor's version, and the time (epoch ms) and position of the page's last entry. */
export const ledgerCursor = makeCursor(z.tuple([z.literal(1), z.int(), z.int().positive()]));
