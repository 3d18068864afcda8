import { expect } from 'vitest';
import * as z from 'zod';

/* The JSON that scripts rely on. Adding or removing a member fails a test. */

/** The schema of the product, and no other member anywhere in the document. */
export const exactly = <T extends z.ZodType>(schema: T) => ({
  parse(json: unknown): z.output<T> {
    const parsed = schema.parse(json);
    expect(parsed).toEqual(json);
    return parsed;
  },
});

export const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const id = z.string().regex(/^[0-9A-Z]{26}$/);

export const time = z.iso.datetime();

export const enrollment = z.enum(['computeOptimizer', 'automation', 'costOptimizationHub']);
