import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import { enrollmentChangedBy, MUTATING_CALLS } from '../support/mutating-calls.ts';
import { CapsChecker } from './caps-checker.ts';
import { ConfigurationChecker } from './configuration-checker.ts';
import { CoverageChecker } from './coverage-checker.ts';
import type { Request } from './engine-cloud.ts';
import { checkLedger, openIntent } from './ledger-checks.ts';
import type { MemoryStores } from './memory-stores.ts';
import { MessageTracker } from './message-tracker.ts';
import type { Process } from './process.ts';
import { exceededRates } from './rate-checker.ts';
import { StateTimeline } from './state-timeline.ts';

/** The operator controls in force, as the checker observed them being set. */
export interface Controls {
  /** When everything was halted, epoch ms; `null` if it is not halted. */
  haltedAt: number | null;
  /** When each suspended account was suspended. */
  readonly suspendedAt: Map<AccountId, number>;
  /** Accounts that were ever suspended. */
  readonly onceSuspended: Set<AccountId>;
}

export interface CheckerOptions {
  readonly sandbox: Sandbox;
  readonly stores: MemoryStores;
  readonly now: () => number;
  /** Ids of entries that the bus has accepted. */
  readonly accepted: ReadonlySet<string>;
  /** Whether drift is open only because a cap requires approval, so that it was not lost. */
  readonly heldBack: (accountId: AccountId, enrollment: EnrollmentId) => boolean;
}

const DAY = 24 * 60 * 60 * 1000;
/** Every worker obeys an operator's command one second after it was given. */
const CONTROL_DELAY_MS = 1_000;

/** The largest difference between the clocks of two processes. */
const MAX_CLOCK_DIFFERENCE_MS = 2_000;
/** A caller has observed any state that is older than this, because claims and their reads are younger. */
const READ_DELAY_MS = 3 * 60 * 1000;

/** One account that a call affects, with its state at that moment. */
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
export class InvariantChecker {
  readonly violations: string[] = [];
  readonly controls: Controls = { haltedAt: null, suspendedAt: new Map(), onceSuspended: new Set() };
  readonly #options: CheckerOptions;
  readonly #timeline: StateTimeline;
  readonly #caps: CapsChecker;
  readonly #coverage: CoverageChecker;
  readonly #configurations: ConfigurationChecker;
  readonly #messages = new MessageTracker();
  readonly #calls: number[] = [];
  readonly #mutating = new Map<string, number>();
  readonly #scans = new Map<string, number>();

  constructor(options: CheckerOptions) {
    this.#options = options;
    this.#timeline = new StateTimeline(options.sandbox, options.now);
    this.#caps = new CapsChecker(options.sandbox);
    this.#coverage = new CoverageChecker(options.sandbox, options.now);
    this.#configurations = new ConfigurationChecker(options.sandbox, options.now);
  }

  report(invariant: number, what: string): void {
    this.violations.push(`invariant ${invariant}: ${what}`);
  }

  /** Call before and after an external change. */
  observe(): void {
    this.#timeline.observe();
    this.#coverage.observe();
    this.#configurations.observe();
  }

  /** A scanner was started for a run, or for its next part. */
  scanStarted(runId: string): void {
    if (!this.#scans.has(runId)) this.#scans.set(runId, this.#options.now());
  }

  approval(planKeys: readonly string[]): { refused(): void } {
    return this.#caps.approve(planKeys, this.#options.now());
  }

  sent(messages: readonly WorkMessage[], by: Process): void {
    const { stores, now } = this.#options;
    this.#messages.sent(messages, by, { at: now(), recordOf: (id) => stores.inside.records.get(id) ?? null });
  }

  received(deliveries: readonly Delivery[], by: Process): void {
    this.#messages.received(deliveries, by);
  }

  finished(delivery: Delivery, by: Process): void {
    this.#messages.finished(delivery, by);
  }

  /** An entry was stored. */
  written(entry: LedgerEntry): void {
    if (this.#timeline.reportsFalseDeparture(entry))
      this.report(8, `${entry.chain}: entry ${entry.seq} claims falsely that it has left`);
    const falseObservation = this.#timeline.falseObservation(entry, this.#scans.get(entry.runId ?? '') ?? null);
    if (falseObservation !== null)
      this.report(
        8,
        `${entry.chain}: entry ${entry.seq} (${entry.type}) saw ${falseObservation}, which was never true`,
      );
    const falseClaim = this.#configurations.falseClaim(entry);
    if (falseClaim !== null)
      this.report(1, `${entry.chain}: entry ${entry.seq} is ${falseClaim} by a configuration that never applied`);
  }

  /** A request acts now. */
  arrived(request: Request, by: Process, policy: CompiledPolicy): void {
    const { service, operation, callerAccountId, input } = request;
    const { sandbox, now } = this.#options;
    this.#calls.push(now());
    const enrollment = enrollmentChangedBy({ service, operation });
    if (enrollment === null) return;
    for (const what of this.#configurations.forbidden(request, by)) this.report(5, what);
    this.#timeline.observe();
    this.counted(request);
    const organizationWide = input['includeMemberAccounts'] === true;
    const named: readonly unknown[] = Array.isArray(input['accountIds']) ? input['accountIds'] : [callerAccountId];
    const touched = sandbox
      .accounts()
      .filter((account) =>
        organizationWide
          ? account[enrollment].status !== 'Active' && account.state === 'ACTIVE'
          : named.includes(account.accountId),
      );
    const optOut = input['status'] === 'Inactive' || operation === 'DisassociateAccounts';
    for (const account of touched)
      this.#touch({ operation, enrollment, account, optOut, organizationWide, policy, by });
  }

  /** Counts a mutating call of the history. */
  counted({ service, operation }: Pick<Request, 'service' | 'operation'>): void {
    const call = `${service}:${operation}`;
    this.#mutating.set(call, (this.#mutating.get(call) ?? 0) + 1);
  }

  /** It has acted. */
  acted(request: Request, output: Readonly<Record<string, unknown>> | null): void {
    if (enrollmentChangedBy(request) !== null) this.#timeline.observe();
    if (output !== null) this.#coverage.answered(request, output);
  }

  /** A process has received a response. */
  answered(request: Request, output: Readonly<Record<string, unknown>>, by: Process): void {
    this.#configurations.answered(request, output, by);
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
    const runStartedAt = this.#scans.get(runId ?? '') ?? null;
    for (const [invariant, past] of this.#caps.touched({ at, accountId, enrollment, optOut, runStartedAt }, policy))
      this.report(invariant, past);
    // An account that joined after the last read is opted in by AWS together with all others.
    if (organizationWide && chain.length === 0) return;
    if (intent === null) this.report(2, `${what} without an intent that is open`);
    if (!this.#messages.covers(by, accountId, enrollment))
      this.report(1, `${what} by ${by.name}, which holds no message about it: if it died now, the work would be lost`);
    this.#forbidden(what, touched);
    this.#timing(what, touched, chain);
    if (!organizationWide) this.#guardrails(what, accountId, runId, policy);
    if (optOut && !this.#mayOptOut(enrollment, account, policy))
      this.report(8, `${what}: the policy did not want it opted out`);
  }

  /** Kill switch, suspensions, windows, exemptions and mode alert. */
  #forbidden(what: string, { account, enrollment, policy }: Touched): void {
    const { accountId } = account;
    const { haltedAt, suspendedAt } = this.controls;
    const at = this.#options.now();
    if (haltedAt !== null && at - haltedAt > CONTROL_DELAY_MS) this.report(3, `${what} while everything is halted`);
    const suspended = suspendedAt.get(accountId);
    if (suspended !== undefined && at - suspended > CONTROL_DELAY_MS) this.report(3, `${what} while it is suspended`);
    const around = [at - MAX_CLOCK_DIFFERENCE_MS, at, at + MAX_CLOCK_DIFFERENCE_MS];
    if (!around.some((time) => policy.windows.isOpen(time))) this.report(3, `${what} while the window is closed`);
    if (around.every((time) => policy.exemption(accountId, enrollment, time) !== null))
      this.report(3, `${what} while it is exempt`);
    // Both the current organization and the one last read count.
    const { name, ou, tags, state, management } = account;
    const known = this.#options.stores.inside.accountOf(accountId);
    const versions: readonly OrganizationAccount[] = [
      { id: accountId, name, ou, tags, state, management },
      ...(known === null ? [] : [known]),
    ];
    if (versions.every((facts) => policy.resolve(facts).mode.value !== 'enforce'))
      this.report(3, `${what}, whose mode is not enforce`);
  }

  /** Coverage and stopped runs. */
  #guardrails(what: string, accountId: AccountId, runId: string | null, { policy }: CompiledPolicy): void {
    const at = this.#options.now();
    const organization = this.#options.stores.inside.chains.get(ORGANIZATION_CHAIN) ?? [];
    const ofRun = organization.filter((entry) => runId !== null && entry.runId === runId);
    const stopped = ofRun.find(({ type, reason }) => type === 'GuardrailTripped' && reason === 'failureTolerance');
    if (stopped !== undefined && at - Date.parse(stopped.at) > READ_DELAY_MS)
      this.report(3, `${what} in run ${runId}, which was stopped at ${stopped.at}`);
    const startedAt = this.#scans.get(runId ?? '');
    const planned = this.#messages.plannedAt(runId, accountId);
    if (startedAt === undefined || planned === null) return;
    const { onceSuspended } = this.controls;
    const few = this.#coverage.tooFew({ startedAt, planned, onceSuspended }, policy.guardrails.minCoverage);
    if (few !== null) this.report(3, `${what} in a run for which AWS had reported ${few}`);
  }

  /** No call while AWS reports Pending, or during a cool-down that our own ledger shows. */
  #timing(what: string, { operation, enrollment, account, optOut }: Touched, chain: readonly LedgerEntry[]): void {
    const at = this.#options.now();
    const { status, lastUpdatedTimestamp } = account[enrollment];
    const since = at - lastUpdatedTimestamp.getTime();
    if (status === 'Pending' && since > READ_DELAY_MS)
      this.report(3, `${what} while AWS has reported Pending for ${since} ms`);
    if (operation !== 'UpdateEnrollmentConfiguration' || optOut) return;
    const ours = chain.findLast(
      ({ type, detail, enrollment: about }) =>
        type === 'RemediationSucceeded' && detail?.optOut === true && about === enrollment,
    );
    if (ours?.api?.operation !== 'UpdateEnrollmentConfiguration' || account[enrollment].status !== 'Inactive') return;
    if (at - Date.parse(ours.at) < DAY - READ_DELAY_MS)
      this.report(3, `${what} in the cool-down after our own opt-out`);
  }

  /** Either the current account or the last recorded state allows the opt-out, because the policy may just have changed. */
  #mayOptOut(enrollment: EnrollmentId, account: AccountTruth, policy: CompiledPolicy): boolean {
    const { accountId: id, name, ou, tags, state, management } = account;
    const chain = this.#options.stores.inside.records.get(id);
    const facts: OrganizationAccount = { id, name, ou, tags, state, management };
    const desired = policy.resolve(facts);
    const wanted =
      desired[enrollment].value === 'Inactive' ||
      (enrollment === 'automation' && desired.organizationRules.value === 'NoneAllowed');
    const known = ENROLLMENT_IDS.some((each) => {
      const condition = chain?.conditions[each];
      return condition?.desired === 'Inactive' || condition?.desiredRuleMode === 'NoneAllowed';
    });
    // Tags never change in a history, so a wrong opt-out by tags has no excuse in an earlier state.
    return wanted || (known && !policy.usesTags);
  }

  /** Invariant 4: all processes together keep to the rate, except for the `underWay` parallel calls that were delayed in flight. */
  pace(callsPerSecond: number, underWay: number): void {
    for (const what of exceededRates(this.#calls, callsPerSecond, underWay)) this.report(4, what);
  }

  /** Checks what must hold at the end, when no work is pending. */
  checkLedger(): void {
    checkLedger(this.#options, (invariant, what) => this.report(invariant, what));
    // The sandbox's own log: the checker has seen every call.
    for (const { service, operation } of MUTATING_CALLS) {
      const calls = this.#options.sandbox.calls();
      const counted = calls.filter((call) => call.service === service && call.operation === operation);
      const total = counted.reduce((sum, { count }) => sum + count, 0);
      const checked = this.#mutating.get(`${service}:${operation}`) ?? 0;
      if (total !== checked) this.report(2, `the sandbox has counted ${total} ${operation}, ${checked} were checked`);
    }
  }

  /** Invariant 5: each unreadable message became a dead letter. */
  rubbish(put: number, dead: number): void {
    if (dead < put) this.report(5, `${put} messages were unreadable, and ${dead} are dead letters`);
  }
}
