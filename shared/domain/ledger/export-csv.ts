import { canonicalJson } from '../canonical-hash.ts';
import type { LedgerEntry } from './entry.ts';

/*
 * Entries in the format of RFC 4180. Text written by people may look like a formula to a spreadsheet, so such a cell gets an
 * apostrophe in front. So does a cell that begins with an apostrophe, so that the prefix can be removed unambiguously.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
const COLUMNS: Readonly<Record<string, (entry: LedgerEntry) => unknown>> = {
  id: ({ id }) => id,
  chain: ({ chain }) => chain,
  seq: ({ seq }) => seq,
  at: ({ at }) => at,
  type: ({ type }) => type,
  accountId: ({ accountId }) => accountId,
  enrollment: ({ enrollment }) => enrollment,
  runId: ({ runId }) => runId,
  actor: ({ actor }) => actor,
  beforeVerdict: ({ before }) => before?.verdict,
  beforeStatus: ({ before }) => before?.status,
  beforeRuleMode: ({ before }) => before?.ruleMode,
  afterVerdict: ({ after }) => after?.verdict,
  afterStatus: ({ after }) => after?.status,
  afterRuleMode: ({ after }) => after?.ruleMode,
  desired: ({ after }) => after?.desired,
  desiredRuleMode: ({ after }) => after?.desiredRuleMode,
  reason: ({ reason }) => reason,
  rule: ({ rule }) => rule,
  policyHash: ({ policyHash }) => policyHash,
  operation: ({ api }) => api?.operation,
  requestId: ({ api }) => api?.requestId,
  clientToken: ({ api }) => api?.clientToken,
  message: ({ detail }) => detail?.message,
  detail: ({ detail }) => (detail === null ? null : canonicalJson(detail)),
  prevHash: ({ prevHash }) => prevHash,
  hash: ({ hash }) => hash,
};

export const CSV_COLUMNS: readonly string[] = Object.keys(COLUMNS);

export function csvHeader(): string {
  return `${CSV_COLUMNS.join(',')}\r\n`;
}

export function csvLine(entry: LedgerEntry): string {
  return `${Object.values(COLUMNS)
    .map((value) => csvCell(value(entry)))
    .join(',')}\r\n`;
}

/** Formulas begin with these characters, also in full width. Spreadsheets skip a tab or a line break before a formula. */
const RISKY = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20']/;

/** To a spreadsheet that separates cells by semicolons or tabs, a formula may also begin inside a cell of this file. */
const RISKY_INSIDE = /([;\t\n]|(?!^)\r)( *)(?=[=+\-@\uff1d\uff0b\uff0d\uff20'])/g;

function guarded(text: string): string {
  const inside = text.replace(RISKY_INSIDE, "$1$2'");
  return RISKY.test(text) ? `'${inside}` : inside;
}

export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  const safe = typeof value === 'string' ? guarded(text) : text;
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
