import type * as z from 'zod';

export type UntrustedResult<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: z.core.$ZodIssue[] } };

/**
 * `safeParse` for outside data: never throws. Zod compares the `length` of a value even after it has found that the value is neither a string nor an
 * array, and a hostile object makes that comparison throw: `{"length": {"toString": 1}}`.
 */
export function safeParseUntrusted<S extends z.ZodType>(schema: S, value: unknown): UntrustedResult<z.output<S>> {
  try {
    return schema.safeParse(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = 'it contains an object that cannot be compared';
    return { success: false, error: { issues: [{ code: 'custom', path: [], message, input: undefined }] } };
  }
}
