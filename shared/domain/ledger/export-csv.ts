import { canonicalJson } from '../canonical-hash.ts';
import { csvLine } from '../csv.ts';
import type { LedgerEntry } from './entry.ts';

/** The columns of exported entries. */
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

export function entriesCsvHeader(): string {
  return csvLine(CSV_COLUMNS);
}

export function entryCsvLine(entry: LedgerEntry): string {
  return csvLine(Object.values(COLUMNS).map((value) => value(entry)));
}
