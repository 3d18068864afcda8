import type { AccountRecord } from '../../domain/account/record.ts';
import { type AssessContext, assess } from '../../domain/decision/assess.ts';
import type { Coverage } from '../../domain/decision/guardrails.ts';
import { isChange } from '../../domain/decision/plan.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { Observations } from '../../domain/enrollment/mismatch.ts';
import type { AccountId, Caller } from '../../domain/enrollment/model.ts';
import type { Assessment, Verdict } from '../../domain/enrollment/verdict.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import { fromListings, isNotListed, isUnreadable, type Listings, preferNewerRecords } from './observations.ts';

export type Assessments = Readonly<Record<EnrollmentId, Assessment>>;
export type Summary = Record<EnrollmentId, Partial<Record<Verdict, number>>>;

/** An account with its observations and assessments; kept only if it differs from the policy or from its record. */
export interface AssessedAccount {
  readonly account: OrganizationAccount;
  readonly observations: Observations;
  readonly assessments: Assessments;
  readonly record: AccountRecord | null;
}

/** Whether these assessments differ from the account record, so that the ledger needs an entry. */
export type NeedsRecording = (record: AccountRecord | null, assessments: Assessments) => boolean;

export interface AssessmentOptions {
  readonly policy: CompiledPolicy;
  readonly caller: Caller;
  readonly context: AssessContext;
  readonly needsRecording: NeedsRecording;
  /** Time of the first request whose answer is assessed here, epoch ms. */
  readonly begunAt: number;
}

export type RecordsById = ReadonlyMap<AccountId, AccountRecord>;

interface Unlisted {
  readonly observations: Observations;
  readonly record: AccountRecord | null;
}

type Pair = readonly [computeOptimizer: Verdict, automation: Verdict];

/**
 * Joins the observations of one scan with the accounts they belong to, and assesses each account as soon as it is observed. To save memory
 * in large organizations, only accounts that differ from the policy or from their record are kept in full; of every other account only its
 * verdicts are kept. {@link takeUnrecorded} also drops accounts that need no change.
 */
export class AssessmentTable {
  readonly #options: AssessmentOptions;
  #context: AssessContext;
  #accounts = new Map<AccountId, OrganizationAccount>();
  #verdicts = new Map<AccountId, Pair>();
  /** One object for each pair of verdicts that has occurred, shared by all accounts. */
  readonly #pairs = new Map<string, Pair>();
  /** Accounts kept in full. */
  #assessed = new Map<AccountId, AssessedAccount>();
  #unrecorded = new Map<AccountId, AssessedAccount>();
  #toProbe = new Map<AccountId, Unlisted>();
  #contested = new Set<AccountId>();
  #snapshot: OrganizationSnapshot;

  constructor(options: AssessmentOptions, snapshot: OrganizationSnapshot) {
    this.#options = options;
    this.#context = options.context;
    this.#snapshot = snapshot;
    this.reset(snapshot);
  }

  /** Switches to another snapshot and discards every assessment. */
  reset(snapshot: OrganizationSnapshot): void {
    this.#snapshot = snapshot;
    this.#accounts = new Map(snapshot.accounts.map((account) => [account.id, account]));
    this.#verdicts.clear();
    this.#assessed.clear();
    this.#unrecorded.clear();
    this.#toProbe.clear();
    this.#contested.clear();
  }

  has(accountId: AccountId): boolean {
    return this.#accounts.has(accountId);
  }

  /** Assesses accounts by the listings. Accounts that have to be read individually are collected in {@link toProbe}. */
  assess(accountIds: Iterable<AccountId>, listings: Listings, records: RecordsById): void {
    for (const accountId of accountIds) {
      const account = this.#accounts.get(accountId);
      if (account === undefined) continue;
      this.assessAccount(
        account,
        fromListings(this.#options.caller, account, listings),
        records.get(accountId) ?? null,
      );
    }
  }

  /** @param final the account was read individually; it is not collected for another read. */
  assessAccount(
    account: OrganizationAccount,
    observed: Observations,
    record: AccountRecord | null,
    final = false,
  ): void {
    const observations = preferNewerRecords(observed, record, this.#options.begunAt);
    const assessments = assess(this.#context, account, observations, record);
    if (record?.conditions.computeOptimizer?.contested) this.#contested.add(account.id);
    this.#verdicts.set(account.id, this.#pairOf(assessments.computeOptimizer.verdict, assessments.automation.verdict));
    this.#assessed.delete(account.id);
    this.#unrecorded.delete(account.id);
    this.#toProbe.delete(account.id);
    if (!final && needsProbe(assessments, observations)) this.#toProbe.set(account.id, { observations, record });
    const assessed = { account, observations, assessments, record };
    const unrecorded = this.#options.needsRecording(record, assessments);
    if (unrecorded) this.#unrecorded.set(account.id, assessed);
    if (unrecorded || differs(assessed)) this.#assessed.set(account.id, assessed);
  }

  #pairOf(computeOptimizer: Verdict, automation: Verdict): Pair {
    const name = `${computeOptimizer} ${automation}`;
    const pair = this.#pairs.get(name) ?? [computeOptimizer, automation];
    this.#pairs.set(name, pair);
    return pair;
  }

  /** Accounts not assessed yet, because the Compute Optimizer listing did not name them. */
  get unassessed(): readonly AccountId[] {
    return this.#snapshot.accounts.flatMap(({ id }) => (this.#verdicts.has(id) ? [] : [id]));
  }

  /**
   * Returns the accounts that need a ledger entry, each only once. Before the end of a scan (`final` false) it omits accounts that may be
   * assessed again: opt-outs, which an incomplete listing forbids, and accounts that are still to be read individually.
   */
  takeUnrecorded(final: boolean): readonly AssessedAccount[] {
    const taken: AssessedAccount[] = [];
    for (const [accountId, assessed] of this.#unrecorded) {
      if (!final && (optsOut(assessed) || this.#toProbe.has(accountId))) continue;
      taken.push(assessed);
      this.#unrecorded.delete(accountId);
      if (!differs(assessed)) this.#assessed.delete(accountId);
    }
    return taken;
  }

  /** Called if a listing is incomplete: forbids opt-outs and reassesses the accounts that would be opted out. */
  forbidOptOuts(): void {
    this.#context = { ...this.#context, optOutsAllowed: false };
    for (const assessed of [...this.#assessed.values()]) {
      if (optsOut(assessed)) this.assessAccount(assessed.account, assessed.observations, assessed.record);
    }
  }

  /** Accounts that no listing names and that can be read individually. */
  get toProbe(): readonly {
    readonly account: OrganizationAccount;
    readonly known: Observations;
    readonly automation: boolean;
    readonly record: AccountRecord | null;
  }[] {
    return [...this.#toProbe].flatMap(([accountId, { observations, record }]) => {
      const account = this.#accounts.get(accountId);
      const automation = this.#verdicts.get(accountId)?.[1] === 'Unknown';
      return account === undefined ? [] : [{ account, known: observations, automation, record }];
    });
  }

  get assessed(): readonly AssessedAccount[] {
    return [...this.#assessed.values()];
  }

  get snapshot(): OrganizationSnapshot {
    return this.#snapshot;
  }

  get summary(): Summary {
    const summary: Summary = { computeOptimizer: {}, automation: {} };
    for (const verdicts of this.#verdicts.values()) {
      ENROLLMENT_IDS.forEach((enrollment, index) => {
        const verdict = verdicts[index];
        if (verdict !== undefined) summary[enrollment][verdict] = (summary[enrollment][verdict] ?? 0) + 1;
      });
    }
    return summary;
  }

  /** Accounts whose Compute Optimizer is contested, whatever its current status. */
  get contested(): number {
    return this.#contested.size;
  }

  get accountsInScope(): number {
    let count = 0;
    for (const verdicts of this.#verdicts.values()) {
      if (verdicts.some((verdict) => verdict !== 'NotApplicable' && verdict !== 'Unmanaged')) count += 1;
    }
    return count;
  }

  /** `missing`: enrolled accounts that the snapshot lacks. */
  coverage(listed: number, missing: number): Coverage {
    const counts = { listed, evaluated: 0, unknown: missing, notApplicable: 0 };
    for (const [accountId, [computeOptimizer, automation]] of this.#verdicts) {
      if (computeOptimizer === 'NotApplicable') counts.notApplicable += 1;
      else if (computeOptimizer !== 'Unknown' && automation !== 'Unknown') counts.evaluated += 1;
      else if (!isUnreadable(this.#options.caller, accountId)) counts.unknown += 1;
    }
    return counts;
  }
}

function differs({ assessments }: AssessedAccount): boolean {
  return isChange(assessments.computeOptimizer) || isChange(assessments.automation);
}

function optsOut({ assessments }: AssessedAccount): boolean {
  return ENROLLMENT_IDS.some((enrollment) => assessments[enrollment].optOut);
}

function needsProbe(assessments: Assessments, observations: Observations): boolean {
  const { computeOptimizer, automation } = assessments;
  // Automation that is blocked by its prerequisite needs the Compute Optimizer status, managed or not.
  const prerequisite = automation.reason === 'prerequisite' && isNotListed(observations.computeOptimizer);
  return computeOptimizer.reason === 'notListed' || automation.reason === 'notListed' || prerequisite;
}
