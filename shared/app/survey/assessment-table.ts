import type { AccountRecord } from '../../domain/account/record.ts';
import { assess } from '../../domain/decision/assess.ts';
import type { AssessContext } from '../../domain/decision/assess-context.ts';
import type { Coverage } from '../../domain/decision/guardrails.ts';
import { isChange } from '../../domain/decision/plan.ts';
import { isRoleDenied } from '../../domain/enrollment/denied-role.ts';
import {
  ASSOCIABLE,
  byKind,
  ENROLLMENT_IDS,
  type EnrollmentId,
  KINDS,
  kindOf,
} from '../../domain/enrollment/kinds/index.ts';
import type { Observations } from '../../domain/enrollment/mismatch.ts';
import type { AccountId, Caller } from '../../domain/enrollment/model.ts';
import type { Assessment, Verdict } from '../../domain/enrollment/verdict.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import { fromListings, isNotListed, isUnreadable, type Listings, preferNewerRecords } from './observations.ts';

type Assessments = Readonly<Record<EnrollmentId, Assessment>>;
export type Summary = Record<EnrollmentId, Partial<Record<Verdict, number>>>;

/** An account as the plan of organization enrollment configurations needs it. */
export interface AssociableAccount {
  readonly account: OrganizationAccount;
  readonly assessment: Assessment;
  /** The hash of the last entry of its record; `null`: it has no record. A record with another one was written since. */
  readonly headHash: string | null;
  /** Whether its prerequisites are Active. AWS enrolls no other account. */
  readonly eligible: boolean;
  /** Whether a worker holds a claim on its enrollment. */
  readonly claimed: boolean;
}

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

/** The verdicts of an account, in the order of the kinds. */
type Verdicts = readonly Verdict[];

/**
 * Assesses each account as soon as a scan has observed it. To save memory, only accounts that differ from the policy or from their
 * record are kept in full; of every other account only the verdicts are kept.
 */
export class AssessmentTable {
  readonly #options: AssessmentOptions;
  #context: AssessContext;
  #accounts = new Map<AccountId, OrganizationAccount>();
  #verdicts = new Map<AccountId, Verdicts>();
  /** One list for each combination of verdicts that has occurred, shared by all accounts. */
  readonly #combinations = new Map<string, Verdicts>();
  /** Accounts kept in full. */
  #assessed = new Map<AccountId, AssessedAccount>();
  #unrecorded = new Map<AccountId, AssessedAccount>();
  #toProbe = new Map<AccountId, Unlisted>();
  /** Empty unless the policy manages configurations. */
  readonly #associable = new Map<AccountId, AssociableAccount>();
  readonly #contested = byKind(() => new Set<AccountId>());
  readonly #deniedRoles = new Set<AccountId>();
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
    for (const id of ENROLLMENT_IDS) this.#contested[id].clear();
    this.#associable.clear();
    this.#deniedRoles.clear();
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
    for (const id of ENROLLMENT_IDS) if (record?.conditions[id]?.contested) this.#contested[id].add(account.id);
    this.#verdicts.set(account.id, this.#shared(ENROLLMENT_IDS.map((id) => assessments[id].verdict)));
    this.#assessed.delete(account.id);
    this.#unrecorded.delete(account.id);
    this.#deniedRoles.delete(account.id);
    if (ENROLLMENT_IDS.some((id) => isRoleDenied(assessments[id]))) this.#deniedRoles.add(account.id);
    this.#toProbe.delete(account.id);
    if (!final && needsProbe(assessments, observations)) this.#toProbe.set(account.id, { observations, record });
    if (managesConfigurations(this.#options.policy))
      this.#associable.set(account.id, associable(account, assessments, record));
    const assessed = { account, observations, assessments, record };
    const unrecorded = this.#options.needsRecording(record, assessments);
    if (unrecorded) this.#unrecorded.set(account.id, assessed);
    if (unrecorded || differs(assessed)) this.#assessed.set(account.id, assessed);
  }

  #shared(verdicts: Verdicts): Verdicts {
    const name = verdicts.join(' ');
    const known = this.#combinations.get(name) ?? verdicts;
    this.#combinations.set(name, known);
    return known;
  }

  /** Accounts not assessed yet, because the leading listing did not name them. */
  get unassessed(): readonly AccountId[] {
    return this.#snapshot.accounts.flatMap(({ id }) => (this.#verdicts.has(id) ? [] : [id]));
  }

  /**
   * Returns the accounts that need an entry in the audit log, each only once.
   * @param final false before the end of the scan: omits accounts that may be assessed again, e.g. after an individual read
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
    readonly wanted: readonly EnrollmentId[];
    readonly record: AccountRecord | null;
  }[] {
    return [...this.#toProbe].flatMap(([accountId, { observations, record }]) => {
      const account = this.#accounts.get(accountId);
      const verdicts = this.#verdicts.get(accountId) ?? [];
      const wanted = ENROLLMENT_IDS.filter((_, index) => verdicts[index] === 'Unknown');
      return account === undefined ? [] : [{ account, known: observations, wanted, record }];
    });
  }

  get assessed(): readonly AssessedAccount[] {
    return [...this.#assessed.values()];
  }

  /** All accounts; empty unless the policy manages configurations. */
  get associable(): readonly AssociableAccount[] {
    return [...this.#associable.values()];
  }

  get snapshot(): OrganizationSnapshot {
    return this.#snapshot;
  }

  get summary(): Summary {
    const summary: Summary = byKind(() => ({}));
    const { kinds } = this.#options.policy;
    for (const verdicts of this.#verdicts.values()) {
      ENROLLMENT_IDS.forEach((enrollment, index) => {
        const verdict = verdicts[index];
        if (verdict !== undefined && kinds.includes(enrollment))
          summary[enrollment][verdict] = (summary[enrollment][verdict] ?? 0) + 1;
      });
    }
    return summary;
  }

  /** The number of accounts in which each enrollment is contested, whatever its current status. */
  get contested(): Readonly<Record<EnrollmentId, number>> {
    return byKind((id) => this.#contested[id].size);
  }

  /** The accounts that could not be read because AWS refused the member role. */
  get deniedRoles(): readonly OrganizationAccount[] {
    return [...this.#deniedRoles].sort().flatMap((id) => this.#accounts.get(id) ?? []);
  }

  get accountsInScope(): number {
    let count = 0;
    for (const verdicts of this.#verdicts.values()) {
      if (verdicts.some((verdict) => verdict !== 'NotApplicable' && verdict !== 'Unmanaged')) count += 1;
    }
    return count;
  }

  /** `missing`: enrolled accounts that the snapshot lacks. */
  coverage(kinds: readonly EnrollmentId[], listed: number, missing: number): Coverage {
    const indices = kinds.map((id) => ENROLLMENT_IDS.indexOf(id));
    const counts = { listed, evaluated: 0, unknown: missing, notApplicable: 0 };
    for (const [accountId, verdicts] of this.#verdicts) {
      if (verdicts[0] === 'NotApplicable') counts.notApplicable += 1;
      else if (!indices.some((index) => verdicts[index] === 'Unknown')) counts.evaluated += 1;
      else if (!isUnreadable(this.#options.caller, accountId)) counts.unknown += 1;
    }
    return counts;
  }
}

export function managesConfigurations({ policy }: CompiledPolicy): boolean {
  return policy.organization.automationConfigurations === 'manage';
}

function associable(
  account: OrganizationAccount,
  assessments: Assessments,
  record: AccountRecord | null,
): AssociableAccount {
  const eligible = kindOf(ASSOCIABLE).prerequisites.every((id) => assessments[id].status === 'Active');
  const claimed = (record?.conditions[ASSOCIABLE]?.claim ?? null) !== null;
  return { account, assessment: assessments[ASSOCIABLE], headHash: record?.head.hash ?? null, eligible, claimed };
}

function differs({ assessments }: AssessedAccount): boolean {
  return ENROLLMENT_IDS.some((enrollment) => isChange(assessments[enrollment]));
}

function optsOut({ assessments }: AssessedAccount): boolean {
  return ENROLLMENT_IDS.some((enrollment) => assessments[enrollment].optOut);
}

function needsProbe(assessments: Assessments, observations: Observations): boolean {
  return KINDS.some(({ id, prerequisites }) => {
    const { reason } = assessments[id];
    // The status of a prerequisite is needed even if the policy does not manage the prerequisite.
    const blocked = reason === 'prerequisite' && prerequisites.some((each) => isNotListed(observations[each]));
    return reason === 'notListed' || blocked;
  });
}
