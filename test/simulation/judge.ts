import { isDeepStrictEqual } from 'node:util';
import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { capOf } from '../../shared/domain/guardrails.ts';
import { checkLink, EMPTY_CHAIN, headOf, type LedgerEntry, ORGANIZATION_CHAIN } from '../../shared/domain/ledger.ts';
import type { AccountFacts, CompiledPolicy } from '../../shared/domain/policy/index.ts';
import { emptyRecord, foldEntry } from '../../shared/domain/record.ts';
import { type AccountId, ENROLLMENTS, type Enrollment } from '../../shared/domain/types.ts';
import type { Request } from './engine-cloud.ts';
import type { MemoryStores } from './memory-stores.ts';

/** What an operator has done to the enforcement, as the judge saw it being set. */
export interface Controls {
  /** Since when everything is halted, epoch ms; `null`: it is not. */
  haltedAt: number | null;
  /** Since when an account is suspended. */
  readonly suspendedAt: Map<AccountId, number>;
}

export interface JudgeOptions {
  readonly sandbox: Sandbox;
  readonly stores: MemoryStores;
  readonly now: () => number;
  readonly controls: Controls;
  /** Changes that may be on their way at once, over all processes: what a cap may be overshot by. */
  readonly underWay: number;
  /** By how many accounts a cap may be passed, `null`: somebody has lifted it. */
  readonly slack: () => number | null;
  /** Ids of entries that the bus has taken. */
  readonly accepted: ReadonlySet<string>;
  /** What is still Drifted because a cap holds it back, until somebody approves: that is no drift that was lost. */
  readonly heldBack: (accountId: AccountId, enrollment: Enrollment) => boolean;
}

const DAY = 24 * 60 * 60 * 1000;
/** An operator's word holds for every worker a second after it was given. */
const HEARD_MS = 1_000;

/** What time it is, is what each process's clock says: they are this far apart at most. */
const CLOCKS_APART_MS = 2_000;
/** What has been so for longer than this has been seen by whoever calls: claims and their reads are younger. */
const SEEN_MS = 3 * 60 * 1000;

const OF_OPERATION: Readonly<Record<string, Enrollment>> = {
  UpdateEnrollmentStatus: 'computeOptimizer',
  UpdateEnrollmentConfiguration: 'automation',
  AssociateAccounts: 'automation',
  DisassociateAccounts: 'automation',
};

interface Touch {
  readonly at: number;
  readonly accountId: AccountId;
  readonly optOut: boolean;
}

/**
 * Holds what happens against the invariants of the design, by the truth of the sandbox and the entries as they are stored at that very moment,
 * not by what any process believes.
 */
export class Judge {
  readonly violations: string[] = [];
  readonly #options: JudgeOptions;
  readonly #touches: Touch[] = [];
  readonly #calls: number[] = [];

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  accuse(invariant: number, what: string): void {
    this.violations.push(`invariant ${invariant}: ${what}`);
  }

  /** A request acts now. */
  arrived({ operation, callerAccountId, input }: Request, policy: CompiledPolicy): void {
    const { sandbox, now } = this.#options;
    this.#calls.push(now());
    const enrollment = OF_OPERATION[operation];
    if (enrollment === undefined) return;
    const organizationWide = input['includeMemberAccounts'] === true;
    const named: readonly unknown[] = Array.isArray(input['accountIds']) ? input['accountIds'] : [callerAccountId];
    const touched = sandbox
      .accounts()
      .filter((account) =>
        organizationWide
          ? account.computeOptimizer.status !== 'Active' && account.state === 'ACTIVE'
          : named.includes(account.accountId),
      );
    const optOut = input['status'] === 'Inactive' || operation === 'DisassociateAccounts';
    for (const account of touched) this.#touch(operation, enrollment, account, { optOut, organizationWide }, policy);
    this.#caps(policy);
  }

  #touch(
    operation: string,
    enrollment: Enrollment,
    account: AccountTruth,
    { optOut, organizationWide }: { readonly optOut: boolean; readonly organizationWide: boolean },
    policy: CompiledPolicy,
  ): void {
    const { accountId } = account;
    const { stores, now, controls } = this.#options;
    const chain = stores.inside.chains.get(accountId) ?? [];
    const what = `${operation} for ${accountId}`;
    const at = now();
    this.#touches.push({ at, accountId, optOut });
    // Who joined after the last look is opted in by AWS together with all others; nobody could have known.
    if (organizationWide && chain.length === 0) return;
    if (!hasOpenIntent(chain, enrollment)) this.accuse(2, `${what} without an intent that is open`);
    const { haltedAt, suspendedAt } = controls;
    if (haltedAt !== null && at - haltedAt > HEARD_MS) this.accuse(3, `${what} while all is halted`);
    const suspended = suspendedAt.get(accountId);
    if (suspended !== undefined && at - suspended > HEARD_MS) this.accuse(3, `${what} while it is suspended`);
    const around = [at - CLOCKS_APART_MS, at, at + CLOCKS_APART_MS];
    if (!around.some((time) => policy.windows.isOpen(time))) this.accuse(3, `${what} while the window is closed`);
    if (around.every((time) => policy.exemption(accountId, enrollment, time) !== null))
      this.accuse(3, `${what} while it is exempt`);
    this.#timing(what, operation, enrollment, account, chain, optOut);
    if (optOut && !this.#mayOptOut(operation, account, policy)) this.accuse(8, `${what}: nobody wanted it opted out`);
  }

  /** While AWS says Pending nothing is called, nor in a cool-down that our own ledger knows of. */
  #timing(
    what: string,
    operation: string,
    enrollment: Enrollment,
    account: AccountTruth,
    chain: readonly LedgerEntry[],
    optOut: boolean,
  ): void {
    const at = this.#options.now();
    const { status, lastUpdatedTimestamp } = account[enrollment];
    const since = at - lastUpdatedTimestamp.getTime();
    if (status === 'Pending' && since > SEEN_MS) this.accuse(3, `${what} while AWS has said Pending for ${since} ms`);
    if (operation !== 'UpdateEnrollmentConfiguration' || optOut) return;
    const ours = chain.findLast(
      ({ type, detail, enrollment: about }) =>
        type === 'RemediationSucceeded' && detail?.optOut === true && about === enrollment,
    );
    if (ours?.api?.operation !== 'UpdateEnrollmentConfiguration' || account[enrollment].status !== 'Inactive') return;
    if (at - Date.parse(ours.at) < DAY - SEEN_MS) this.accuse(3, `${what} in the cool-down after our own opt-out`);
  }

  /** By the account as it is, or as it was when the organization was last read: a rule may just have come to mean something else. */
  #mayOptOut(operation: string, account: AccountTruth, policy: CompiledPolicy): boolean {
    const { accountId: id, name, ou, tags, state, management } = account;
    const chain = this.#options.stores.inside.records.get(id);
    const facts: AccountFacts = { id, name, ou, tags, state, management };
    const wish = policy.resolve(facts);
    const wanted =
      operation === 'UpdateEnrollmentStatus'
        ? wish.computeOptimizer.value === 'Inactive'
        : wish.automation.value === 'Inactive' || wish.organizationRules.value === 'NoneAllowed';
    const known = ENROLLMENTS.some((enrollment) => {
      const condition = chain?.[enrollment];
      return condition?.desired === 'Inactive' || condition?.desiredRuleMode === 'NoneAllowed';
    });
    return wanted || known;
  }

  #caps(policy: CompiledPolicy): void {
    const { now, sandbox, slack: slackNow } = this.#options;
    const slack = slackNow();
    const { guardrails } = policy.policy;
    const since = now() - DAY;
    const recent = this.#touches.filter(({ at }) => at > since);
    // Those that have left since were in scope when they were changed.
    const accounts = new Set([...sandbox.accounts(), ...recent].map(({ accountId }) => accountId)).size;
    const changed = new Set(recent.map(({ accountId }) => accountId)).size;
    if (slack !== null && changed > capOf(guardrails.maxChanges, accounts) + slack)
      this.accuse(
        3,
        `${changed} accounts were changed in 24 hours, maxChanges allows ${capOf(guardrails.maxChanges, accounts)}`,
      );
    const optedOut = new Set(recent.filter(({ optOut }) => optOut).map(({ accountId }) => accountId)).size;
    if (optedOut > capOf(guardrails.maxOptOuts, accounts) + (slack ?? 0))
      this.accuse(
        8,
        `${optedOut} accounts were opted out in 24 hours, maxOptOuts allows ${capOf(guardrails.maxOptOuts, accounts)}`,
      );
  }

  /** Invariant 4: all processes together keep to the rate, but for what was under way when it was held up. */
  pace(callsPerSecond: number): void {
    const window = 10_000;
    const most = (callsPerSecond * window * 1.1) / 1000 + 2 * this.#options.underWay + 10;
    let from = 0;
    let busiest = 0;
    for (const [index, at] of this.#calls.entries()) {
      while ((this.#calls[from] ?? at) <= at - window) from += 1;
      busiest = Math.max(busiest, index - from + 1);
    }
    if (busiest > most)
      this.accuse(4, `${busiest} calls in ${window / 1000} s, ${callsPerSecond} a second are allowed`);
  }

  /** What must hold at any end, and at this one: nothing is on its way any more. */
  books(): void {
    for (const [chain, entries] of this.#options.stores.inside.chains) {
      this.#links(chain, entries);
      if (chain !== ORGANIZATION_CHAIN) this.#endings(chain, entries);
    }
  }

  #links(chain: string, entries: readonly LedgerEntry[]): void {
    const { published } = this.#options.stores.inside;
    let head = EMPTY_CHAIN;
    for (const entry of entries) {
      const fault = checkLink(head, entry);
      if (fault !== null) this.accuse(7, `${chain}: ${fault.message}`);
      head = headOf(entry);
      if (!published.has(entry.id) || !this.#options.accepted.has(entry.id))
        this.accuse(1, `${chain}: entry ${entry.seq} (${entry.type}) was never published`);
    }
  }

  #endings(chain: AccountId, entries: readonly LedgerEntry[]): void {
    const folded = entries.reduce(foldEntry, emptyRecord(chain));
    const stored = this.#options.stores.inside.records.get(chain);
    if (!isDeepStrictEqual(stored, folded)) this.accuse(7, `${chain}: its record is not what its entries say`);
    for (const enrollment of ENROLLMENTS) {
      const drift = openDrift(entries, enrollment);
      if (drift !== null && !this.#options.heldBack(chain, enrollment))
        this.accuse(1, `${chain} ${enrollment}: the drift of entry ${drift} has not ended`);
    }
    for (const { type, after, seq } of entries) {
      // Only an observation makes an account Compliant.
      if (type === 'RemediationSucceeded' && after?.verdict === 'Compliant')
        this.accuse(1, `${chain}: entry ${seq} takes an answer for an observation`);
    }
    for (const intent of entries.filter(({ type }) => type === 'RemediationStarted')) {
      const outcomes = entries.filter(({ detail }) => detail?.intentId === intent.id);
      if (outcomes.length !== 1) this.accuse(2, `${chain}: intent ${intent.seq} has ${outcomes.length} outcomes`);
      const end = outcomes[0]?.seq ?? Number.POSITIVE_INFINITY;
      const another = entries.find(
        ({ type, seq, enrollment }) =>
          type === 'RemediationStarted' && enrollment === intent.enrollment && seq > intent.seq && seq < end,
      );
      if (another !== undefined) this.accuse(2, `${chain}: intents ${intent.seq} and ${another.seq} are open at once`);
    }
  }
}

function hasOpenIntent(entries: readonly LedgerEntry[], enrollment: Enrollment): boolean {
  const intent = entries.findLast((entry) => entry.type === 'RemediationStarted' && entry.enrollment === enrollment);
  return intent !== undefined && !entries.some(({ detail }) => detail?.intentId === intent.id);
}

const SUPERSEDING: ReadonlySet<string> = new Set(['NotApplicable', 'Unmanaged', 'Exempt', 'Suspended']);

/** The number of the entry whose drift has not ended in resolved, blocked, failed or superseded; `null`: all have. */
export function openDrift(entries: readonly LedgerEntry[], enrollment: Enrollment): number | null {
  let open: number | null = null;
  for (const entry of entries) {
    if (entry.type === 'DriftDetected' && entry.enrollment === enrollment) open ??= entry.seq;
    else if (endsDrift(entry, enrollment)) open = null;
  }
  return open;
}

function endsDrift({ type, after, detail, enrollment: about }: LedgerEntry, enrollment: Enrollment): boolean {
  if (type === 'AccountLeft') return true;
  const facet = about === enrollment ? after : detail?.facets?.[enrollment];
  if (facet === null || facet === undefined) return false;
  const ends = type === 'DriftResolved' || type === 'RemediationBlocked' || facet.reason === 'deadLettered';
  return ends || SUPERSEDING.has(facet.verdict);
}
