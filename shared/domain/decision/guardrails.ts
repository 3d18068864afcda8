import type { AccountId } from '../enrollment/model.ts';
import type { Guardrails } from '../policy/index.ts';
import type { RecentChange } from './changed-accounts.ts';
import type { Change } from './plan.ts';

/** The period over which the caps count changes, ms. */
export const ROLLING_MS = 24 * 60 * 60 * 1000;

/** The number of accounts whose status a scan determined. The shape of `coverage` in `plan --json`. */
export interface Coverage {
  /** Accounts that the Compute Optimizer listing named. */
  readonly listed: number;
  /** ACTIVE accounts whose managed enrollments are all known. */
  readonly evaluated: number;
  /** ACTIVE accounts with an unknown managed enrollment, except enrollments that this caller can never read. */
  readonly unknown: number;
  readonly notApplicable: number;
}

export interface Trip {
  readonly reason: 'halted' | 'maxChanges' | 'maxOptOuts' | 'minCoverage' | 'failureTolerance';
  /** Names the limit, the planned number, and how to exceed the limit. */
  readonly message: string;
  /** The numbers of a cap; absent for other guardrails. */
  readonly limit?: CapLimit;
}

/** The numbers of accounts with which a cap trips. */
export interface CapLimit {
  /** Accounts that the run would change. */
  readonly accounts: number;
  /** The same, plus the accounts changed in the last 24 hours. `maxChanges` does not count changes that an operator has approved. */
  readonly within24Hours: number;
  readonly allowed: number;
  readonly inScope: number;
}

/** The accounts changed in the last 24 hours. */
export type RecentChanges = ReadonlyMap<AccountId, RecentChange>;

/** The fields of a change that the caps use. */
type CountedChange = Pick<Change, 'accountId' | 'action' | 'optOut'>;

export interface GuardrailInput {
  readonly guardrails: Guardrails;
  /** ACTIVE accounts for which the policy manages anything. */
  readonly accountsInScope: number;
  /** `null`: coverage is not checked for these changes. */
  readonly coverage: Coverage | null;
  readonly changes: readonly CountedChange[];
  readonly recent: RecentChanges;
  /** Whether an approval or a saved plan permits exceeding `maxChanges`. It permits exceeding no other guardrail. */
  readonly maxChangesLifted: boolean;
}

/** The cap in whole accounts: max(atLeast, percent of the accounts in scope). */
export function capOf(cap: { readonly percent: number; readonly atLeast: number }, accountsInScope: number): number {
  // Without the small addition, 29% of 100 would be 28, because of binary fractions.
  return Math.max(cap.atLeast, Math.floor((cap.percent * accountsInScope) / 100 + 1e-9));
}

/**
 * The first guardrail that a run would trip; `null` if none. Checked before the first mutating call of a run.
 * Caps count distinct accounts: those changed in the last 24 hours and those about to be changed. `maxChanges` does not count the changes that an
 * operator has approved, because it exists for changes that nobody has reviewed.
 */
export function tripped(input: GuardrailInput): Trip | null {
  if (!input.changes.some((change) => change.action !== 'none')) return null;
  return coverageTrip(input) ?? optOutTrip(input) ?? changesTrip(input);
}

export function isCovered({ evaluated, unknown }: Coverage, { minCoverage }: Guardrails): boolean {
  const active = evaluated + unknown;
  return active === 0 || evaluated * 100 >= minCoverage * active;
}

function coverageTrip({ coverage, guardrails }: GuardrailInput): Trip | null {
  if (coverage === null || isCovered(coverage, guardrails)) return null;
  const active = coverage.evaluated + coverage.unknown;
  const percent = Math.floor((coverage.evaluated * 1000) / active) / 10;
  const message =
    `status known for only ${coverage.evaluated} of ${active} active accounts (${percent}%), and minCoverage is ` +
    `${guardrails.minCoverage}%; find out why the listing lacks the others before making changes`;
  return { reason: 'minCoverage', message };
}

function optOutTrip({ changes, recent, guardrails, accountsInScope }: GuardrailInput): Trip | null {
  const now = distinct(changes, (change) => change.optOut);
  if (now.size === 0) return null;
  const cap = capOf(guardrails.maxOptOuts, accountsInScope);
  const total = union(now, recent, (change) => change.optOut);
  if (total <= cap) return null;
  const message =
    `${accounts(now.size)} would be opted out (${total} within 24 hours), but maxOptOuts allows ${cap} of ` +
    `${accountsInScope} in scope; opting out deletes data, so only a higher maxOptOuts in the policy permits it`;
  const limit = { accounts: now.size, within24Hours: total, allowed: cap, inScope: accountsInScope };
  return { reason: 'maxOptOuts', message, limit };
}

function changesTrip(input: GuardrailInput): Trip | null {
  const { changes, recent, guardrails, accountsInScope } = input;
  if (input.maxChangesLifted) return null;
  const now = distinct(changes, () => true);
  const cap = capOf(guardrails.maxChanges, accountsInScope);
  const total = union(now, recent, (change) => change.counted);
  if (now.size === 0 || total <= cap) return null;
  const message =
    `${accounts(now.size)} would be changed (${total} within 24 hours), but maxChanges allows ${cap} of ` +
    `${accountsInScope} in scope; review the plan, then permit it with approve or apply --plan, or raise maxChanges`;
  const limit = { accounts: now.size, within24Hours: total, allowed: cap, inScope: accountsInScope };
  return { reason: 'maxChanges', message, limit };
}

const accounts = (count: number): string => (count === 1 ? '1 account' : `${count} accounts`);

function distinct(changes: readonly CountedChange[], counts: (change: CountedChange) => boolean): Set<AccountId> {
  const ids = changes.filter((change) => change.action !== 'none' && counts(change)).map((change) => change.accountId);
  return new Set(ids);
}

function union(now: ReadonlySet<AccountId>, recent: RecentChanges, counts: (change: RecentChange) => boolean): number {
  let total = now.size;
  for (const [accountId, change] of recent) if (counts(change) && !now.has(accountId)) total += 1;
  return total;
}

/** With fewer failed calls than this, `failureTolerance` never stops a run. */
const MIN_FAILURES = 5;

/** Stops a run with too many failures. @param failed permanently failed changes; denied roles never stop a run (invariant 5) */
export function failuresTrip(guardrails: Guardrails, planned: number, failed: number): Trip | null {
  if (failed < MIN_FAILURES || failed * 100 <= guardrails.failureTolerance * planned) return null;
  const message =
    `${failed} of ${planned} planned changes failed, and failureTolerance is ${guardrails.failureTolerance}%; ` +
    'see the failures with `rollcall audit list --type RemediationFailed`';
  return { reason: 'failureTolerance', message };
}
