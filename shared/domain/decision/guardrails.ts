import type { AccountId } from '../enrollment/model.ts';
import type { Guardrails } from '../policy/index.ts';
import type { Change } from './plan.ts';

/** What the caps look back on, ms. */
export const ROLLING_MS = 24 * 60 * 60 * 1000;

/** How much of the organization a scan could tell. The shape of `plan --json`'s `coverage`. */
export interface Coverage {
  /** Accounts that the Compute Optimizer listing named. */
  readonly listed: number;
  /** ACTIVE accounts of which every managed enrollment is known. */
  readonly evaluated: number;
  /** ACTIVE accounts of which some managed enrollment is not known, leaving out what this caller can never read. */
  readonly unknown: number;
  readonly notApplicable: number;
}

export interface Trip {
  readonly reason: 'halted' | 'maxChanges' | 'maxOptOuts' | 'minCoverage' | 'failureTolerance';
  /** Names the limit, what was wanted, and what lifts it. */
  readonly message: string;
}

/** What was changed in the last 24 hours, by account. */
export type RecentChanges = ReadonlyMap<AccountId, { readonly optOut: boolean }>;

/** What of a change the caps ask about. */
type CountedChange = Pick<Change, 'accountId' | 'action' | 'optOut'>;

export interface GuardrailInput {
  readonly guardrails: Guardrails;
  /** ACTIVE accounts for which the policy manages anything. */
  readonly accountsInScope: number;
  /** `null`: not asked for what is about to be done, see `checkGuardrails`. */
  readonly coverage: Coverage | null;
  readonly changes: readonly CountedChange[];
  readonly recent: RecentChanges;
  /** An approval or a saved plan: lifts `maxChanges`, and nothing else. */
  readonly maxChangesLifted: boolean;
}

/** max(atLeast, percent of the accounts in scope), in whole accounts. */
export function capOf(cap: { readonly percent: number; readonly atLeast: number }, accountsInScope: number): number {
  // 29 % of 100 is 29, whatever binary fractions make of 0.29.
  return Math.max(cap.atLeast, Math.floor((cap.percent * accountsInScope) / 100 + 1e-9));
}

/**
 * The first guardrail that a run would trip, `null` if none. Judged before the first mutating call of a run; caps count
 * distinct accounts changed in a rolling 24 hours together with those about to be changed (design, "Plans, caps, approvals").
 */
export function tripped(input: GuardrailInput): Trip | null {
  if (!input.changes.some((change) => change.action !== 'none')) return null;
  return coverageTrip(input) ?? optOutTrip(input) ?? changesTrip(input);
}

function coverageTrip({ coverage, guardrails }: GuardrailInput): Trip | null {
  if (coverage === null) return null;
  const active = coverage.evaluated + coverage.unknown;
  if (active === 0 || coverage.evaluated * 100 >= guardrails.minCoverage * active) return null;
  const percent = Math.floor((coverage.evaluated * 1000) / active) / 10;
  const message =
    `status known for only ${coverage.evaluated} of ${active} active accounts (${percent}%), minCoverage is ` +
    `${guardrails.minCoverage}%; find out why the listing lacks the others before anything is changed`;
  return { reason: 'minCoverage', message };
}

function optOutTrip({ changes, recent, guardrails, accountsInScope }: GuardrailInput): Trip | null {
  const now = distinct(changes, (change) => change.optOut);
  if (now.size === 0) return null;
  const cap = capOf(guardrails.maxOptOuts, accountsInScope);
  const total = union(now, recent, (change) => change.optOut);
  if (total <= cap) return null;
  const message =
    `${accounts(now.size)} would be opted out (${total} within 24 hours), maxOptOuts allows ${cap} of ` +
    `${accountsInScope} in scope; opting out deletes data, so only a higher maxOptOuts in the policy allows it`;
  return { reason: 'maxOptOuts', message };
}

function changesTrip(input: GuardrailInput): Trip | null {
  const { changes, recent, guardrails, accountsInScope } = input;
  if (input.maxChangesLifted) return null;
  const now = distinct(changes, () => true);
  const cap = capOf(guardrails.maxChanges, accountsInScope);
  const total = union(now, recent, () => true);
  if (now.size === 0 || total <= cap) return null;
  const message =
    `${accounts(now.size)} would be changed (${total} within 24 hours), maxChanges allows ${cap} of ${accountsInScope} ` +
    'in scope; review the plan, then let it through with approve or apply --plan, or raise maxChanges';
  return { reason: 'maxChanges', message };
}

const accounts = (count: number): string => (count === 1 ? '1 account' : `${count} accounts`);

function distinct(changes: readonly CountedChange[], counts: (change: CountedChange) => boolean): Set<AccountId> {
  const ids = changes.filter((change) => change.action !== 'none' && counts(change)).map((change) => change.accountId);
  return new Set(ids);
}

function union(
  now: ReadonlySet<AccountId>,
  recent: RecentChanges,
  counts: (change: { readonly optOut: boolean }) => boolean,
): number {
  let total = now.size;
  for (const [accountId, change] of recent) if (counts(change) && !now.has(accountId)) total += 1;
  return total;
}

/** Below this many failed calls a run is never stopped by `failureTolerance`. */
const MIN_FAILURES = 5;

/**
 * Whether a run has failed so often that it stops. `failed` counts mutating calls that failed for good; denied roles are
 * counted apart and never stop a run (invariant 5).
 */
export function failuresTrip(guardrails: Guardrails, planned: number, failed: number): Trip | null {
  if (failed < MIN_FAILURES || failed * 100 <= guardrails.failureTolerance * planned) return null;
  const message =
    `${failed} of ${planned} planned changes failed, failureTolerance is ${guardrails.failureTolerance} %; ` +
    'see the failures with `rollcall audit list --type RemediationFailed`';
  return { reason: 'failureTolerance', message };
}
