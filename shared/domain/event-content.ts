import * as z from 'zod';
import type { AccountId } from './enrollment/model.ts';
import { safeParseUntrusted } from './safe-parse.ts';

/*
 * Reads the parts of a CloudTrail event. A part arrives as an object, as JSON text, or as `{"omitted": true}` if it was too large.
 * Some tools convert account ids to numbers, which lose their leading zeros.
 */

const record = z.looseObject({});
export type Content = z.infer<typeof record>;

/** An EventBridge event has at most 1 MB. */
const MAX_TEXT = 1024 * 1024;

/** The object itself, or the object in a JSON text; `null`: missing or omitted. */
export function contentOf(value: unknown): Content | null {
  const parsed = safeParseUntrusted(record, fromText(value));
  return parsed.success && parsed.data['omitted'] !== true ? parsed.data : null;
}

/** The list itself, or the list in a JSON text; `null`: neither. */
export function listOf(value: unknown): readonly unknown[] | null {
  const list = fromText(value);
  return Array.isArray(list) ? list : null;
}

function fromText(value: unknown): unknown {
  if (typeof value !== 'string' || value.length > MAX_TEXT || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}

const accountId = z.string().regex(/^\d{12}$/);

export function isAccountId(value: unknown): value is AccountId {
  return accountId.safeParse(value).success;
}

/** Converts a number back to the account id that it was made from; returns any other value unchanged. */
export function asAccountId(value: unknown): unknown {
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  return isNumber ? String(value).padStart(12, '0') : value;
}
