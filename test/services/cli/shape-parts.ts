import * as z from 'zod';

/** The JSON that scripts rely on. Strict, so that adding or removing a member fails a test. */
export const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const id = z.string().regex(/^[0-9A-Z]{26}$/);

export const accountId = z.string().regex(/^\d{12}$/);

export const time = z.iso.datetime();

export const enrollment = z.enum(['computeOptimizer', 'automation']);

export const halted = z.strictObject({ at: time, by: z.string(), reason: z.string().nullable() }).nullable();
