import type * as z from 'zod';

export type UntrustedResult<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: z.core.$ZodIssue[] } };

/**
 * `safeParse` for what comes from outside: total. Zod compares the `length` of what should have been a text or a list even after it has
 * found it to be neither, and a hostile object makes that comparison throw: `{"length": {"toString": 1}}`.
 */
export function safeParseUntrusted<S extends z.ZodType>(schema: S, value: unknown): UntrustedResult<z.output<S>> {
  try {
    return schema.safeParse(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = 'an object in it cannot be compared with anything';
    return { success: false, error: { issues: [{ code: 'custom', path: [], message, input: undefined }] } };
  }
}
