import * as z from 'zod/mini';
import type { Facet } from '../../../../shared/domain/enrollment/condition.ts';
import { ENROLLMENT_IDS } from '../../../../shared/domain/enrollment/kinds/index.ts';
import type { Detail, LedgerEntry } from '../../../../shared/domain/ledger/entry.ts';
import { ENTRY_TYPES } from '../../../../shared/domain/ledger/entry-types.ts';
import { EvidenceError } from './finding.ts';

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = z.string();
const textOrNull = z.nullable(text);
const facet = z.nullable(z.custom<Facet>(isObject));

/** Only the outermost fields, because the hash covers the rest. Another field would not be covered by it. */
const schema = z.strictObject({
  id: text,
  chain: text,
  at: text,
  actor: text,
  prevHash: text,
  hash: text,
  seq: z.int().check(z.positive()),
  type: z.enum(ENTRY_TYPES),
  enrollment: z.nullable(z.enum(ENROLLMENT_IDS)),
  accountId: textOrNull,
  runId: textOrNull,
  reason: textOrNull,
  rule: textOrNull,
  policyHash: textOrNull,
  before: facet,
  after: facet,
  // In the order of canonical JSON, which makes the check of the hash faster.
  api: z.nullable(z.strictObject({ clientToken: textOrNull, operation: text, requestId: textOrNull })),
  detail: z.nullable(z.custom<Detail>(isObject)),
});

/** @throws EvidenceError if the line is not an entry */
export function readEntry(line: string, where: string): LedgerEntry {
  const read = z.safeParse(schema, parsed(line, where));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new EvidenceError(
    `${where} is not an entry of an audit log (${issue?.path.join('.') || issue?.code || 'its form'}).`,
  );
}

/** Only the one text that Rollcall writes: others, such as a repeated field, mean something else to other programs. */
function parsed(line: string, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new EvidenceError(`${where} is not JSON: it was edited or truncated.`);
  }
  if (textOf(value) !== line) {
    throw new EvidenceError(
      `${where} was edited: Rollcall writes no spaces, no field twice, and one form of each number and character.`,
    );
  }
  return value;
}

function textOf(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    // It is nested too deeply.
    return null;
  }
}
