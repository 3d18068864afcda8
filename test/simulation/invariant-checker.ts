import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import { CapsJudge } from './caps-checker.ts';
import { CoverageJudge } from './coverage-checker.ts';
import type { Request } from './engine-cloud.ts';
import { checkBooks, openIntent } from './ledger-checks.ts';
import type { MemoryStores } from './memory-stores.ts';
import { Custody } from './message-tracker.ts';
import type { Process } from './process.ts';
import { Witness } from './state-timeline.ts';

/** What an operator has done to the enforcement, as the judge saw it being set. */
export interface Controls {
  /** Since when everything is halted, epoch ms; `null`: it is not. */
  haltedAt: number | null;
  /** Since when an account is suspended. */
  readonly suspendedAt: Map<AccountId, number>;
  /** Accounts that were ever suspended. */
  readonly onceSuspended: Set<AccountId>;
}

export interface JudgeOptions {
  readonly sandbox: Sandbox;
  readonly stores: MemoryStores;
  readonly now: () => number;
  /** Ids of entries that the bus has taken. */
  readonly accepted: ReadonlySet<string>;
  /** What is still Drifted because a cap holds it back, until somebody approves: that is no drift that was lost. */
  readonly heldBack: (accountId: AccountId, enrollment: EnrollmentId) => boolean;
}

const DAY = 24 * 60 * 60 * 1000;
/** An operator's word holds for every worker a second after it was given. */
const HEARD_MS = 1_000;

/** What time it is, is what each process's clock says: they are this far apart at most. */
const CLOCKS_APART_MS = 2_000;
/** A caller has observed any state that is older than this, because claims and their reads are younger. */
const SEEN_MS = 3 * 60 * 1000;

const OF_OPERATION: Readonly<Record<string, EnrollmentId>> = {
  UpdateEnrollmentStatus: 'computeOptimizer',
  UpdateEnrollmentConfiguration: 'automation',
  AssociateAccounts: 'automation',
  DisassociateAccounts: 'automation',
};

/** One account that a call is about, as it is at that moment. */
interface Touched {
  readonly operation: string;
  readonly enrollment: EnrollmentId;
  readonly account: AccountTruth;
  readonly optOut: boolean;
  readonly organizationWide: boolean;
  readonly policy: CompiledPolicy;
  readonly by: Process;
}

/**
 * Checks the invariants (docs/architecture.md) at the moment of each call, against the sandbox's state and the stored entries, not against
 * what a process believes.
 */
export class Judge {
  readonly violations: string[] = [];
  readonly controls: Controls = { haltedAt: null, suspendedAt: new Map(), onceSuspended: new Set() };
  readonly #options: JudgeOptions;
  readonly #witness: Witness;
  readonly #caps: CapsJudge;
  readonly #coverage: CoverageJudge;
  readonly #custody = new Custody();
  readonly #calls: number[] = [];
  readonly #mutating = new Map<string, number>();
  readonly #scans = new Map<string, number>();

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#witness = new Witness(options.sandbox, options.now);
    this.#caps = new CapsJudge(options.sandbox);
    this.#coverage = new CoverageJudge(options.sandbox, options.now);
  }

  accuse(invariant: number, what: string): void {
    this.violations.push(`invariant ${invariant}: ${what}`);
  }

  /** Somebody else changes something, or just has. */
  look(): void {
    this.#witness.look();
    this.#coverage.look();
  }

  /** A scanner was started for a run, or for the next part of it. */
  scanBegins(runId: string): void {
    if (!this.#scans.has(runId)) this.#scans.set(runId, this.#options.now());
  }

  approval(planKeys: readonly string[]): { refused(): void } {
    return this.#caps.approve(planKeys, this.#options.now());
  }

  sent(messages: readonly WorkMessage[], by: Process): void {
    const { stores, now } = this.#options;
    this.#custody.sent(messages, by, { at: now(), recordOf: (id) => stores.inside.records.get(id) ?? null });
  }

  received(deliveries: readonly Delivery[], by: Process): void {
    this.#custody.received(deliveries, by);
  }

  leftOff(delivery: Delivery, by: Process): void {
    this.#custody.leftOff(delivery, by);
  }

  /** An entry was stored. */
  written(entry: LedgerEntry): void {
    if (this.#witness.neverLeft(entry)) this.accuse(8, `${entry.chain}: entry ${entry.seq} says that it has left`);
    const untrue = this.#witness.untrue(entry, this.#scans.get(entry.runId ?? '') ?? null);
    if (untrue !== null)
      this.accuse(8, `${entry.chain}: entry ${entry.seq} (${entry.type}) saw ${untrue}, which never was`);
  }

  /** A request acts now. */
  arrived({ operation, callerAccountId, input }: Request, by: Process, policy: CompiledPolicy): void {
    const { sandbox, now } = this.#options;
    this.#calls.push(now());
    const enrollment = OF_OPERATION[operation];
    if (enrollment === undefined) return;
    this.#witness.look();
    this.#mutating.set(operation, (this.#mutating.get(operation) ?? 0) + 1);
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
    for (const account of touched)
      this.#touch({ operation, enrollment, account, optOut, organizationWide, policy, by });
  }

  /** It has acted. */
  acted(request: Request, output: Readonly<Record<string, unknown>> | null): void {
    if (OF_OPERATION[request.operation] !== undefined) this.#witness.look();
    if (output !== null) this.#coverage.answered(request, output);
  }

  #touch(touched: Touched): void {
    const { operation, enrollment, account, optOut, organizationWide, policy, by } = touched;
    const { accountId } = account;
    const { stores, now } = this.#options;
    const chain = stores.inside.chains.get(accountId) ?? [];
    const what = `${operation} for ${accountId}`;
    const at = now();
    const intent = openIntent(chain, enrollment);
    const runId = intent?.runId ?? null;
    const runBegan = this.#scans.get(runId ?? '') ?? null;
    for (const [invariant, past] of this.#caps.touched({ at, accountId, enrollment, optOut, runBegan }, policy))
      this.accuse(invariant, past);
    // Who joined after the last look is opted in by AWS together with all others; nobody could have known.
    if (organizationWide && chain.length === 0) return;
    if (intent === null) this.accuse(2, `${what} without an intent that is open`);
    if (!this.#custody.covers(by, accountId, enrollment))
      this.accuse(1, `${what} by ${by.name}, which holds no message about it: if it died now, nobody would go on`);
    this.#forbidden(what, touched);
    this.#timing(what, touched, chain);
    if (!organizationWide) this.#guardrails(what, accountId, runId, policy);
    if (optOut && !this.#mayOptOut(operation, account, policy)) this.accuse(8, `${what}: nobody wanted it opted out`);
  }

  /** Kill switch, suspensions, windows, exemptions, and what is only to be told. */
  #forbidden(what: string, { account, enrollment, policy }: Touched): void {
    const { accountId } = account;
    const { haltedAt, suspendedAt } = this.controls;
    const at = this.#options.now();
    if (haltedAt !== null && at - haltedAt > HEARD_MS) this.accuse(3, `${what} while all is halted`);
    const suspended = suspendedAt.get(accountId);
    if (suspended !== undefined && at - suspended > HEARD_MS) this.accuse(3, `${what} while it is suspended`);
    const around = [at - CLOCKS_APART_MS, at, at + CLOCKS_APART_MS];
    if (!around.some((time) => policy.windows.isOpen(time))) this.accuse(3, `${what} while the window is closed`);
    if (around.every((time) => policy.exemption(accountId, enrollment, time) !== null))
      this.accuse(3, `${what} while it is exempt`);
    // By the organization as it is, and as it was when it was last read.
    const { name, ou, tags, state, management } = account;
    const known = this.#options.stores.inside.factsOf(accountId);
    const pictures: readonly OrganizationAccount[] = [
      { id: accountId, name, ou, tags, state, management },
      ...(known === null ? [] : [known]),
    ];
    if (pictures.every((facts) => policy.resolve(facts).mode.value !== 'enforce'))
      this.accuse(3, `${what}, which is not to be enforced`);
  }

  /** Coverage, and runs that were stopped. */
  #guardrails(what: string, accountId: AccountId, runId: string | null, { policy }: CompiledPolicy): void {
    const at = this.#options.now();
    const organization = this.#options.stores.inside.chains.get(ORGANIZATION_CHAIN) ?? [];
    const ofRun = organization.filter((entry) => runId !== null && entry.runId === runId);
    const stopped = ofRun.find(({ type, reason }) => type === 'GuardrailTripped' && reason === 'failureTolerance');
    if (stopped !== undefined && at - Date.parse(stopped.at) > SEEN_MS)
      this.accuse(3, `${what} in run ${runId}, which was stopped at ${stopped.at}`);
    const began = this.#scans.get(runId ?? '');
    const planned = this.#custody.plannedAt(runId, accountId);
    if (began === undefined || planned === null) return;
    const { onceSuspended } = this.controls;
    const few = this.#coverage.tooFew({ began, planned, onceSuspended }, policy.guardrails.minCoverage);
    if (few !== null) this.accuse(3, `${what} in a run in which AWS had told of ${few}`);
  }

  /** While AWS says Pending nothing is called, nor in a cool-down that our own ledger knows of. */
  #timing(what: string, { operation, enrollment, account, optOut }: Touched, chain: readonly LedgerEntry[]): void {
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
    const facts: OrganizationAccount = { id, name, ou, tags, state, management };
    const desired = policy.resolve(facts);
    const wanted =
      operation === 'UpdateEnrollmentStatus'
        ? desired.computeOptimizer.value === 'Inactive'
        : desired.automation.value === 'Inactive' || desired.organizationRules.value === 'NoneAllowed';
    const known = ENROLLMENT_IDS.some((enrollment) => {
      const condition = chain?.conditions[enrollment];
      return condition?.desired === 'Inactive' || condition?.desiredRuleMode === 'NoneAllowed';
    });
    // Tags never change here, so that an account that is opted out by them was never to be.
    return wanted || (known && !policy.usesTags);
  }

  /** Invariant 4: all processes together keep the rate, except for the concurrent calls of a process that was paused. */
  pace(callsPerSecond: number, underWay: number): void {
    const window = 10_000;
    const most = (callsPerSecond * window * 1.1) / 1000 + 2 * underWay + 10;
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
    checkBooks(this.#options, (invariant, what) => this.accuse(invariant, what));
    // The sandbox's own log: no call has gone past the judge.
    for (const operation of Object.keys(OF_OPERATION)) {
      const counted = this.#options.sandbox.calls().filter((call) => call.operation === operation);
      const total = counted.reduce((sum, { count }) => sum + count, 0);
      const judged = this.#mutating.get(operation) ?? 0;
      if (total !== judged) this.accuse(2, `the sandbox has counted ${total} ${operation}, ${judged} were judged`);
    }
  }

  /** Invariant 5: of messages that nobody can work on each has become a dead letter, and nothing else has. */
  rubbish(put: number, dead: number): void {
    if (dead < put) this.accuse(5, `${put} messages were unreadable, and ${dead} are dead letters`);
  }
}
