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
import { fromListings, isNotListed, type Listings, outOfSight, overtaken } from './observations.ts';

export type Assessments = Readonly<Record<EnrollmentId, Assessment>>;
export type Summary = Record<EnrollmentId, Partial<Record<Verdict, number>>>;

/** An account of which there is something to say: it differs from the policy, or the ledger does not know it so yet. */
export interface Judged {
  readonly facts: OrganizationAccount;
  readonly observations: Observations;
  readonly assessments: Assessments;
  readonly record: AccountRecord | null;
}

/** Whether the ledger has something to learn from these assessments. */
export type IsNews = (record: AccountRecord | null, assessments: Assessments) => boolean;

export interface DeskOptions {
  readonly policy: CompiledPolicy;
  readonly caller: Caller;
  readonly context: AssessContext;
  readonly isNews: IsNews;
  /** When the first of what is judged here was asked for, epoch ms. */
  readonly begunAt: number;
}

export type RecordsById = ReadonlyMap<AccountId, AccountRecord>;

interface Unlisted {
  readonly observations: Observations;
  readonly record: AccountRecord | null;
}

type Pair = readonly [computeOptimizer: Verdict, automation: Verdict];

/**
 * Where observations of one scan meet accounts: judges each as soon as it is known, keeps in full only those of which there is
 * something to say, and two words (its verdicts) of every other, so that memory does not grow with pages. What was taken by
 * {@link takeNews} and is no change is let go as well.
 */
export class AssessmentTable {
  readonly #options: DeskOptions;
  #context: AssessContext;
  #facts = new Map<AccountId, OrganizationAccount>();
  #verdicts = new Map<AccountId, Pair>();
  /** The pairs of verdicts that have occurred: a few, shared by all accounts. */
  readonly #pairs = new Map<string, Pair>();
  #judged = new Map<AccountId, Judged>();
  #news = new Map<AccountId, Judged>();
  #toProbe = new Map<AccountId, Unlisted>();
  #contested = new Set<AccountId>();
  #snapshot: OrganizationSnapshot;

  constructor(options: DeskOptions, snapshot: OrganizationSnapshot) {
    this.#options = options;
    this.#context = options.context;
    this.#snapshot = snapshot;
    this.lay(snapshot);
  }

  /** Takes another snapshot and forgets every judgement made on the one before. */
  lay(snapshot: OrganizationSnapshot): void {
    this.#snapshot = snapshot;
    this.#facts = new Map(snapshot.accounts.map((account) => [account.id, account]));
    this.#verdicts.clear();
    this.#judged.clear();
    this.#news.clear();
    this.#toProbe.clear();
    this.#contested.clear();
  }

  knows(accountId: AccountId): boolean {
    return this.#facts.has(accountId);
  }

  /** Judges accounts by what the listings say of them; those that have to be read themselves wait in {@link toProbe}. */
  judge(accountIds: Iterable<AccountId>, listings: Listings, records: RecordsById): void {
    for (const accountId of accountIds) {
      const facts = this.#facts.get(accountId);
      if (facts === undefined) continue;
      this.judgeOne(facts, fromListings(this.#options.caller, facts, listings), records.get(accountId) ?? null);
    }
  }

  judgeOne(facts: OrganizationAccount, told: Observations, record: AccountRecord | null, final = false): void {
    const observations = overtaken(told, record, this.#options.begunAt);
    const assessments = assess(this.#context, facts, observations, record);
    if (record?.conditions.computeOptimizer?.contested) this.#contested.add(facts.id);
    this.#verdicts.set(facts.id, this.#pairOf(assessments.computeOptimizer.verdict, assessments.automation.verdict));
    this.#judged.delete(facts.id);
    this.#news.delete(facts.id);
    this.#toProbe.delete(facts.id);
    if (!final && needsProbe(assessments, observations)) this.#toProbe.set(facts.id, { observations, record });
    const judged = { facts, observations, assessments, record };
    const news = this.#options.isNews(record, assessments);
    if (news) this.#news.set(facts.id, judged);
    if (news || differs(judged)) this.#judged.set(facts.id, judged);
  }

  #pairOf(computeOptimizer: Verdict, automation: Verdict): Pair {
    const name = `${computeOptimizer} ${automation}`;
    const pair = this.#pairs.get(name) ?? [computeOptimizer, automation];
    this.#pairs.set(name, pair);
    return pair;
  }

  /** Accounts that were not judged yet: the Compute Optimizer listing did not name them. */
  get unjudged(): readonly AccountId[] {
    return this.#snapshot.accounts.flatMap(({ id }) => (this.#verdicts.has(id) ? [] : [id]));
  }

  /**
   * Hands over, once, what the ledger has to learn. Before the end of a scan (`final` false) without what may be judged anew by
   * then: opt-outs, which a listing that breaks off forbids, and accounts that are yet to be read themselves.
   */
  takeNews(final: boolean): readonly Judged[] {
    const taken: Judged[] = [];
    for (const [accountId, judged] of this.#news) {
      if (!final && (optsOut(judged) || this.#toProbe.has(accountId))) continue;
      taken.push(judged);
      this.#news.delete(accountId);
      if (!differs(judged)) this.#judged.delete(accountId);
    }
    return taken;
  }

  /** A listing is incomplete: accounts that would be opted out are judged again with opting out forbidden. */
  forbidOptOuts(): void {
    this.#context = { ...this.#context, optOutsAllowed: false };
    for (const judged of [...this.#judged.values()]) {
      if (optsOut(judged)) this.judgeOne(judged.facts, judged.observations, judged.record);
    }
  }

  /** Accounts whose enrollment no listing told and that can be read themselves. */
  get toProbe(): readonly {
    readonly facts: OrganizationAccount;
    readonly known: Observations;
    readonly automation: boolean;
    readonly record: AccountRecord | null;
  }[] {
    return [...this.#toProbe].flatMap(([accountId, { observations, record }]) => {
      const facts = this.#facts.get(accountId);
      const automation = this.#verdicts.get(accountId)?.[1] === 'Unknown';
      return facts === undefined ? [] : [{ facts, known: observations, automation, record }];
    });
  }

  get judged(): readonly Judged[] {
    return [...this.#judged.values()];
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

  /** Accounts whose Compute Optimizer is contested, whatever it shows at present. */
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
      else if (!outOfSight(this.#options.caller, accountId)) counts.unknown += 1;
    }
    return counts;
  }
}

function differs({ assessments }: Judged): boolean {
  return isChange(assessments.computeOptimizer) || isChange(assessments.automation);
}

function optsOut({ assessments }: Judged): boolean {
  return ENROLLMENT_IDS.some((enrollment) => assessments[enrollment].optOut);
}

function needsProbe(assessments: Assessments, observations: Observations): boolean {
  const { computeOptimizer, automation } = assessments;
  // Automation blocked for want of Compute Optimizer asks about Compute Optimizer, managed or not.
  const prerequisite = automation.reason === 'prerequisite' && isNotListed(observations.computeOptimizer);
  return computeOptimizer.reason === 'notListed' || automation.reason === 'notListed' || prerequisite;
}
