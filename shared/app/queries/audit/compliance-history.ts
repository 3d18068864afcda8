import {
  type Compliance,
  complianceFrom,
  isManaged,
  type Spread,
  spreadOf,
} from '../../../domain/account/compliance.ts';
import { type AccountRecord, emptyRecord, foldEntry, withCondition } from '../../../domain/account/record.ts';
import { fromStoredState } from '../../../domain/account/stored-state.ts';
import type { AccountState, Condition } from '../../../domain/enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { ReasonCode } from '../../../domain/enrollment/reason-codes.ts';
import type { Verdict } from '../../../domain/enrollment/verdict.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { mapParallel } from '../../../domain/map-parallel.ts';
import type { Ledger } from '../../../ports/ledger.ts';
import { entriesOf, OLDEST_FIRST } from './all-entries.ts';
import type { StandingAt } from './as-of.ts';

/** The state of an account in its latest checkpoint, which replaces the older entries of its chain. */
async function checkpointState(ledger: Pick<Ledger, 'query'>, accountId: AccountId): Promise<AccountState | null> {
  const { entries } = await ledger.query({ accountId, type: 'ChainPruned' }, { limit: 1 });
  const stored = entries[0]?.detail?.checkpoint?.state ?? null;
  return stored === null ? null : fromStoredState(stored);
}

/** The state of one enrollment at the point that the replay has reached. */
export interface Held {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly verdict: Verdict;
  readonly reason: ReasonCode | null;
  readonly rule: string | null;
  readonly driftSince: string | null;
}

const PARALLEL = 16;

/** Replays the entries of all accounts and keeps the counts of the report. */
export class Standings {
  readonly #records = new Map<AccountId, AccountRecord>();
  readonly #drifts = new Map<AccountId, number>();
  readonly #resolved: number[] = [];
  /** Updated with each entry: counting all accounts again for each point would take most of the time of a report. */
  readonly #managed = byKind(() => ({ managed: 0, compliant: 0 }));
  detected = 0;
  resolved = 0;
  openDrifts = 0;

  constructor(start: readonly StandingAt[]) {
    for (const standing of start) {
      const record = this.#records.get(standing.accountId) ?? { ...emptyRecord(standing.accountId), present: true };
      this.#put(withCondition(record, standing.enrollment, conditionOf(standing, null)));
    }
  }

  /** Finds when the drifts that are open at the start of the report were first observed. */
  async findOpenDrifts(ledger: Pick<Ledger, 'query'>, until: string): Promise<void> {
    const open = this.all().filter(({ verdict }) => verdict !== 'Compliant' && isManaged(verdict));
    await mapParallel(open, PARALLEL, async ({ accountId, enrollment }) => {
      const driftSince = await this.#openSince(ledger, accountId, enrollment, until);
      const record = this.#records.get(accountId);
      const condition = record?.conditions[enrollment] ?? null;
      if (record === undefined || condition === null || driftSince === null) return;
      this.#put(withCondition(record, enrollment, { ...condition, driftSince }));
      this.openDrifts += 1;
    });
  }

  /** Replays the account from its last resolved drift, because in older ledgers a drift can begin without `DriftDetected`. */
  async #openSince(
    ledger: Pick<Ledger, 'query'>,
    accountId: AccountId,
    enrollment: EnrollmentId,
    at: string,
  ): Promise<string | null> {
    const until = new Date(Date.parse(at) + 1).toISOString();
    const found = await ledger.query({ accountId, enrollment, type: 'DriftResolved', until }, { limit: 1 });
    const since = found.entries[0]?.at ?? null;
    // Retention may have removed the entry; then the checkpoint knows which drifts were open.
    const known = since === null ? await checkpointState(ledger, accountId) : null;
    let record: AccountRecord = { ...emptyRecord(accountId), present: true, ...known };
    // Not filtered by enrollment, because entries about the whole account count too, such as its leaving.
    const filter = { accountId, until, ...(since !== null && { since }) };
    for await (const entry of entriesOf(ledger, filter, OLDEST_FIRST)) record = foldEntry(record, entry);
    return record.conditions[enrollment]?.driftSince ?? null;
  }

  take(entry: LedgerEntry): void {
    const { accountId, chain } = entry;
    if (accountId === null || chain !== accountId) return;
    const before = this.#records.get(accountId) ?? emptyRecord(accountId);
    // Entries arrive in the order of their times. If clocks differ, one may come after its successor in the chain; it is skipped.
    if (entry.seq <= before.head.seq) return;
    const after = foldEntry(before, entry);
    this.#put(after);
    for (const enrollment of ENROLLMENT_IDS)
      this.#count(entry, before.conditions[enrollment], after.conditions[enrollment]);
  }

  #count(entry: LedgerEntry, before: Condition | null, after: Condition | null): void {
    const was = before?.driftSince ?? null;
    const is = after?.driftSince ?? null;
    if (was === null && is !== null) {
      this.openDrifts += 1;
      this.detected += 1;
      this.#drifts.set(entry.chain, (this.#drifts.get(entry.chain) ?? 0) + 1);
    }
    if (was === null || is !== null) return;
    this.openDrifts -= 1;
    // A drift also ends when the enrollment becomes unmanaged or its account leaves, which resolves nothing. The verdict decides, not the entry's
    // type: in older ledgers a blocked drift was resolved by a `VerdictChanged`.
    if (after?.verdict !== 'Compliant') return;
    this.resolved += 1;
    this.#resolved.push(Math.max(0, Date.parse(entry.at) - Date.parse(was)));
  }

  #put(record: AccountRecord): void {
    const { accountId } = record;
    this.#tally(this.#records.get(accountId), -1);
    this.#records.set(accountId, record);
    this.#tally(record, 1);
  }

  #tally(record: AccountRecord | undefined, more: 1 | -1): void {
    if (record === undefined || !record.present) return;
    for (const enrollment of ENROLLMENT_IDS) {
      const condition = record.conditions[enrollment];
      if (condition === null || !isManaged(condition.verdict)) continue;
      this.#managed[enrollment].managed += more;
      if (condition.verdict === 'Compliant') this.#managed[enrollment].compliant += more;
    }
  }

  /** The compliance of the accounts that are in the organization. */
  compliance(): Readonly<Record<EnrollmentId, Compliance>> {
    return byKind((id) => complianceFrom(this.#managed[id].managed, this.#managed[id].compliant));
  }

  /** The enrollments of the accounts that are in the organization. */
  all(): readonly Held[] {
    return [...this.#records.values()].flatMap((record) =>
      ENROLLMENT_IDS.flatMap((enrollment) => {
        const condition = record.present ? record.conditions[enrollment] : null;
        if (condition === null) return [];
        const { verdict, reason, rule, driftSince } = condition;
        return [{ accountId: record.accountId, enrollment, verdict, reason, rule, driftSince }];
      }),
    );
  }

  openAges(now: number): Spread {
    return spreadOf(
      this.all().flatMap(({ driftSince }) => (driftSince === null ? [] : [now - Date.parse(driftSince)])),
    );
  }

  timeToResolve(): Spread {
    return spreadOf(this.#resolved);
  }

  /** Accounts with the most drifts, and their number of drifts. */
  drifters(top: number): readonly (readonly [AccountId, number])[] {
    return [...this.#drifts].sort(([a, one], [b, other]) => other - one || a.localeCompare(b)).slice(0, top);
  }
}

function conditionOf(standing: StandingAt, driftSince: string | null): Condition {
  const { verdict, reason, observed, observedRuleMode, desired, desiredRuleMode, rule, since } = standing;
  return {
    verdict,
    reason,
    status: observed,
    ruleMode: observedRuleMode,
    desired,
    desiredRuleMode,
    rule,
    since,
    lastUpdated: null,
    notBefore: null,
    deadline: null,
    attempts: 0,
    policyHash: null,
    runId: null,
    changedAt: since,
    driftSince,
    claim: null,
    optedOutAt: null,
  };
}
