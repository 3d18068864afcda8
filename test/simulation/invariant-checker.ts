import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { DeadLetter, Delivery } from '../../shared/ports/queue.ts';
import { enrollmentChangedBy, MUTATING_CALLS } from '../support/mutating-calls.ts';
import { CapsChecker } from './caps-checker.ts';
import { ConfigurationChecker } from './configuration-checker.ts';
import { CoverageChecker } from './coverage-checker.ts';
import type { Request } from './engine-cloud.ts';
import type { Simulation } from './environment.ts';
import { needNoStatus } from './known-accounts.ts';
import { checkLedger, openIntent } from './ledger-checks.ts';
import { isConfigurationCall, ManagedConfigurations } from './managed-configurations.ts';
import type { MemoryStores } from './memory-stores.ts';
import { MessageTracker } from './message-tracker.ts';
import { needsIntent } from './needed-intents.ts';
import { forbidden, mayOptOut, noControls, READ_DELAY_MS, stopped, type Touched } from './policy-checks.ts';
import type { Process } from './process.ts';
import { exceededRates } from './rate-checker.ts';
import { misread } from './rubbish.ts';
import { StateTimeline } from './state-timeline.ts';
import { TreeReads } from './tree-reads.ts';

export interface CheckerOptions {
  readonly sandbox: Sandbox;
  readonly stores: MemoryStores;
  readonly now: () => number;
  /** Ids of entries that the bus has accepted. */
  readonly accepted: ReadonlySet<string>;
  /** Whether drift is open only because a cap requires approval, so that it was not lost. */
  readonly heldBack: (accountId: AccountId, enrollment: EnrollmentId) => boolean;
  readonly withOlderVersion: boolean;
  readonly reached: Simulation['reached'];
  /** How much the clocks of two processes may differ, ms. */
  readonly clocksMs: number;
  /** The longest delay of one step of a worker, ms. */
  readonly slowMs: number;
}

const DAY = 24 * 60 * 60 * 1000;

/** A change, and the run of its intent. */
interface InRun {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly runId: string | null;
}

/**
 * Checks the invariants (docs/explanation/architecture.md) at the moment of each call, against the sandbox's state and the stored entries, not against
 * what a process believes.
 */
export class InvariantChecker {
  readonly violations: string[] = [];
  readonly controls = noControls();
  readonly #options: CheckerOptions;
  readonly timeline: StateTimeline;
  readonly #caps: CapsChecker;
  readonly #coverage: CoverageChecker;
  readonly #configurations: ConfigurationChecker;
  readonly #managed: ManagedConfigurations;
  readonly #reads: TreeReads;
  readonly #messages = new MessageTracker();
  readonly #calls: number[] = [];
  readonly #mutating = new Map<string, number>();
  readonly #scans = new Map<string, number>();
  /** By run: when its scan was completed. */
  readonly #completed = new Map<string, number>();
  /** By request: judges the accounts that a call for a configuration changes, once it has acted. */
  readonly #underWay = new Map<string, () => void>();

  constructor(options: CheckerOptions) {
    this.#options = options;
    this.timeline = new StateTimeline(options.sandbox, options.now, options.clocksMs);
    this.#caps = new CapsChecker(options.sandbox, options.reached);
    this.#coverage = new CoverageChecker(options.sandbox, options.now);
    this.#configurations = new ConfigurationChecker(options.sandbox, options.now, options.slowMs);
    this.#managed = new ManagedConfigurations(options.sandbox, options.now);
    this.#reads = new TreeReads(options.now);
  }

  report(invariant: number, what: string): void {
    this.violations.push(`invariant ${invariant}: ${what}`);
  }

  /** Call before and after an external change. */
  observe(): void {
    for (const part of [this.timeline, this.#coverage, this.#configurations, this.#managed]) part.observe();
  }

  /** A scanner was started for a run, or for its next part. */
  scanStarted(runId: string): void {
    if (this.#scans.has(runId)) this.#options.reached('scan continued by another process');
    else this.#scans.set(runId, this.#options.now());
  }

  approval({ hash, keys }: { readonly hash: string; readonly keys: readonly string[] }): { refused(): void } {
    this.#managed.approve(keys);
    return this.#caps.approve(hash, keys, this.#options.now());
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
    if (entry.type === 'ScanCompleted' && entry.runId !== null) this.#completed.set(entry.runId, this.#options.now());
    if (this.timeline.reportsFalseDeparture(entry))
      this.report(8, `${entry.chain}: entry ${entry.seq} claims falsely that it has left`);
    const falseObservation = this.timeline.falseObservation(entry, this.#scans.get(entry.runId ?? '') ?? null);
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
    // A read, too: time alone changes states, and an entry may come after the state that a read has seen.
    this.timeline.observe();
    if (enrollment === null) return;
    for (const what of this.#configurations.forbidden(request, by)) this.report(5, what);
    this.#managed.observe();
    this.#count(request);
    if (isConfigurationCall(request)) {
      this.#configures(request, by, policy);
      return;
    }
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

  /** Rollcall is about to put or delete a configuration. */
  #configures(request: Request, by: Process, policy: CompiledPolicy): void {
    const { operation, input, requestId } = request;
    const what = `${operation} ${JSON.stringify(input['target'])}`;
    this.observe();
    if (policy.policy.organization.automationConfigurations !== 'manage') this.report(3, `${what}, not managed`);
    if (this.#managed.isForeign(input)) this.report(3, `${what}, which somebody else has stored and nobody approved`);
    for (const why of stopped({ ...this.#options, controls: this.controls }, policy)) this.report(3, `${what} ${why}`);
    for (const why of this.#reads.outdated(by)) this.report(3, `${what} ${why}`);
    const affected = this.#managed.affected(request);
    this.#managed.sent(request);
    this.#underWay.set(requestId, () => {
      for (const each of affected)
        this.#touch({ ...each, operation, enrollment: 'automation', organizationWide: false, policy, by });
    });
  }

  /** Whether a target has a configuration that Rollcall has stored. */
  isOwnConfiguration(targetId: string | undefined): boolean {
    return this.#managed.isOwn(targetId);
  }

  /** Somebody else makes a mutating call. */
  madeByOthers(request: Pick<Request, 'service' | 'operation' | 'input'>): void {
    this.#count(request);
  }

  #count({ service, operation }: Pick<Request, 'service' | 'operation'>): void {
    const call = `${service}:${operation}`;
    this.#mutating.set(call, (this.#mutating.get(call) ?? 0) + 1);
  }

  /** It has acted. AWS refuses a configuration while it applies another one that overlaps, and then no account is changed. */
  acted(request: Request, output: Readonly<Record<string, unknown>> | null, refused: boolean): void {
    if (isConfigurationCall(request)) {
      if (refused) this.#managed.refused(request);
      else if (this.#managed.hasActed(request)) this.#underWay.get(request.requestId)?.();
      this.#underWay.delete(request.requestId);
    }
    if (enrollmentChangedBy(request) !== null) {
      this.timeline.observe();
      this.#managed.observe(true);
    }
    if (output !== null) this.#coverage.answered(request, output);
  }

  /** A process has received a response. */
  answered(request: Request, output: Readonly<Record<string, unknown>>, by: Process): void {
    for (const part of [this.#configurations, this.#reads, this.timeline]) part.answered(request, output, by);
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
    const touch = { at, accountId, enrollment, optOut, runStartedAt, processStartedAt: by.startedAt };
    for (const [invariant, past] of this.#caps.touched(touch, intent, policy)) this.report(invariant, past);
    // An account that joined or drifted after the last read is opted in by AWS together with all others.
    if (organizationWide && chain.length === 0) return;
    if (intent === null && needsIntent(touched, chain, at)) this.report(2, `${what} without an intent that is open`);
    if (!this.#messages.covers(by, accountId, enrollment))
      this.report(1, `${what} by ${by.name}, which holds no message about it: if it died now, the work would be lost`);
    for (const why of forbidden({ ...this.#options, controls: this.controls }, touched))
      this.report(3, `${what} ${why}`);
    this.#timing(what, touched, chain);
    if (!organizationWide) this.#guardrails(what, { accountId, enrollment, runId }, policy);
    if (optOut && !mayOptOut(stores, touched)) this.report(8, `${what}: the policy did not want it opted out`);
  }

  /** Coverage and stopped runs. */
  #guardrails(what: string, { accountId, enrollment, runId }: InRun, policy: CompiledPolicy): void {
    const at = this.#options.now();
    const organization = this.#options.stores.inside.chains.get(ORGANIZATION_CHAIN) ?? [];
    const ofRun = organization.filter((entry) => runId !== null && entry.runId === runId);
    const stopped = ofRun.find(({ type, reason }) => type === 'GuardrailTripped' && reason === 'failureTolerance');
    if (stopped !== undefined && at - Date.parse(stopped.at) > READ_DELAY_MS)
      this.report(3, `${what} in run ${runId}, which was stopped at ${stopped.at}`);
    const startedAt = this.#scans.get(runId ?? '');
    const queued = this.#messages.plannedAt(runId, accountId, enrollment);
    if (startedAt === undefined || queued === null) return;
    // The tick may queue a key that an unfinished scan has recorded. The run makes its changes only after its plan, which depends on all answers
    // until then.
    const planned = Math.max(queued, this.#completed.get(runId ?? '') ?? at);
    const run = { enrollment, startedAt, planned };
    const notRequired = needNoStatus(policy, this.#options.sandbox.accounts(), { ...run, controls: this.controls });
    const few = this.#coverage.tooFew({ ...run, notRequired }, policy.policy.guardrails.minCoverage);
    if (few !== null) this.report(3, `${what} in a run for which AWS had reported ${few}`);
  }

  /** No call while AWS reports Pending, or during a cool-down that our own ledger shows. */
  #timing(what: string, { operation, enrollment, account, optOut }: Touched, chain: readonly LedgerEntry[]): void {
    const at = this.#options.now();
    const { status, lastUpdatedTimestamp } = account[enrollment];
    const since = at - lastUpdatedTimestamp.getTime();
    // A call for an OU reaches accounts in any state. If it waited for each Pending to end, it could never be made in a large organization.
    if (status === 'Pending' && since > READ_DELAY_MS && !isConfigurationCall({ operation }))
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

  /** Invariant 5: each unreadable message became a dead letter. Invariant 1: no other message did, in no version that shares the queue. */
  rubbish(put: number, dead: readonly DeadLetter[]): void {
    for (const [invariant, what] of misread(put, dead)) this.report(invariant, what);
  }
}
