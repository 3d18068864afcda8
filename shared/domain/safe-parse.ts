import type * as z from 'zod';

export type UntrustedResult<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: z.core.$ZodIssue[] } };

/** `safeParse` that never throws. Zod's own throws for a hostile `length`, as in `{"length": {"toString": 1}}`. */
export function safeParseUntrusted<S extends z.ZodType>(schema: S, value: unknown): UntrustedResult<z.output<S>> {
  try {
    return schema.safeParse(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = 'it contains an object that cannot be compared';
    return { success: false, error: { issues: [{ code: 'custom', path: [], message, input: undefined }] } };
  }
}
