import { canonicalJson } from './hash.ts';
import type { LedgerEntry } from './ledger.ts';

/*
 * Entries as RFC 4180 has them: a line each, ended by CR LF, quoted where needed. What people wrote (names, reasons) may begin with what a
 * spreadsheet takes for a formula; such cells get an apostrophe in front, and so do those that begin with one, so that it can be
 * taken away again without a doubt. The same holds for what follows a semicolon, a tab or a line break inside a cell. https://owasp.org/www-community/attacks/CSV_Injection
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

/** Formulas begin with these, full-width forms included; tab and line breaks are skipped before one. */
const RISKY = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20']/;

/**
 * Where a spreadsheet separates cells by semicolons or tabs, quotes in the middle of its cell mean nothing to it: a formula may begin behind
 * each of them, and behind a line break.
 */
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
