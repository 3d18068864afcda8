import * as z from 'zod';
import { parseOutside } from './outside.ts';
import type { AccountId } from './types.ts';

/*
 * The parts of a CloudTrail event in whichever form they arrive: objects, JSON text, or in place of what was too large
 * `{"omitted": true}`. Account ids are text; a tool that made numbers of them has lost their leading zeros.
 */

const record = z.looseObject({});
export type Content = z.infer<typeof record>;

/** An EventBridge event has at most 1 MB. */
const MAX_TEXT = 1024 * 1024;

/** An object, or the one that a text holds; `null`: there is none, or it was omitted. */
export function contentOf(value: unknown): Content | null {
  const parsed = parseOutside(record, fromText(value));
  return parsed.success && parsed.data['omitted'] !== true ? parsed.data : null;
}

/** A list, or the one that a text holds. */
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

/** The account id that a number was made of, or else the value itself. */
export function asAccountId(value: unknown): unknown {
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  return isNumber ? String(value).padStart(12, '0') : value;
}
