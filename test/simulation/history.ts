import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { bindOrganization } from '../../shared/app/coordination/organization-binding.ts';
import type { AccountId, Caller } from '../../shared/domain/enrollment/model.ts';
import { type CompiledPolicy, callCeiling } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import { enrollmentChangedBy } from '../support/mutating-calls.ts';
import type { ConfigurationAdministrators } from './configuration-administrators.ts';
import { dryRun } from './dry-run.ts';
import type { Request } from './engine-cloud.ts';
import type { Simulation } from './environment.ts';
import { ExpectedEnd } from './expected-end.ts';
import { ExternalActors } from './external-actors.ts';
import { CALM, type FaultProfile, faultProfileOf } from './fault-profile.ts';
import { ForeignOperators } from './foreign-operators.ts';
import { InvariantChecker } from './invariant-checker.ts';
import { LogKeepers } from './log-keepers.ts';
import type { ManagedHub } from './managed-hub.ts';
import { type MemoryStores, memoryStores } from './memory-stores.ts';
import { Operators } from './operators.ts';
import { MixedVersions, type OtherVersion } from './other-version.ts';
import { compiled } from './policies.ts';
import type { Process } from './process.ts';
import { Processes } from './processes.ts';
import type { RareProfile } from './rare-profile.ts';
import { Reactor } from './reactor.ts';
import { Restores } from './restores.ts';
import { SeededRandom } from './seeded-random.ts';
import { settingOf } from './setting.ts';
import { type RuntimeSimulation, SimulatedRuntime } from './simulated-runtime.ts';
import { Tally } from './tally.ts';
import type { Verdict } from './verdict.ts';
import { VirtualTime, withTimersOf } from './virtual-time.ts';

/** 2026-11-22T12:00:00Z */
const START = 1_795_348_800_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WORKERS = 3;
/** Everything must converge within this time of the calm phase: a cool-down, a deadline and some backoff. */
const CALM_LIMIT_MS = 6 * 24 * HOUR;
/** How often convergence is checked. */
const CHECK_EVERY_MS = 5_000;

/**
 * All of Rollcall in one process on virtual time: ticks, scanners and workers as in the deployed runtime, on stores in memory and the
 * sandbox's engine, with the fault profile of a seed. First a storm of faults, then a calm phase in which every account must become compliant.
 */
export class History implements RuntimeSimulation {
  readonly seed: number;
  readonly chance: SeededRandom;
  readonly time: VirtualTime;
  readonly stores: MemoryStores;
  readonly sandbox: Sandbox;
  readonly caller: Caller;
  readonly checker: InvariantChecker;
  readonly drifting: ManagedHub['drifting'];
  faultProfile: FaultProfile;
  readonly #expectedEnd: ExpectedEnd;
  readonly #externalActors: ExternalActors;
  readonly #operators: Operators;
  readonly #foreignOperators: ForeignOperators;
  readonly #administrators: ConfigurationAdministrators;
  readonly #profile: RareProfile;
  readonly #restores: Restores;
  readonly #logKeepers: LogKeepers;
  readonly #runtime: SimulatedRuntime;
  readonly #mixed: MixedVersions | null;
  readonly #trace: string[] | null;
  readonly #texts: readonly [string, string];
  readonly #policies: readonly [CompiledPolicy, CompiledPolicy];
  #policy: CompiledPolicy;
  #ids = 0;
  readonly #processes = new Processes(this);
  over = false;
  calmAt = Number.POSITIVE_INFINITY;
  #checkedAt = 0;
  /** The account whose role stays broken. */
  #brokenRole: AccountId | null = null;
  readonly #accepted = new Set<string>();
  readonly #tally: Tally;

  /** @param other another version, for half of the processes */
  constructor(seed: number, keepTrace: boolean, other: OtherVersion | null = null) {
    this.seed = seed;
    this.chance = new SeededRandom(seed);
    this.#trace = keepTrace ? [] : null;
    this.time = new VirtualTime(START, this.chance.random);
    this.faultProfile = faultProfileOf(this.chance);
    this.stores = memoryStores(this.time, {
      doubles: () => this.chance.happens(this.faultProfile.doubles),
      order: (items) => this.chance.shuffled(items),
      lagMs: () => this.faultProfile.lagMs,
    });
    this.#tally = new Tally(this.stores.inside);
    const setting = settingOf(seed, this.chance, this.time, other !== null);
    const { administrators, profile, sandbox, caller, drifting, texts } = setting;
    this.#administrators = administrators;
    this.#profile = profile;
    [this.sandbox, this.caller, this.drifting] = [sandbox, caller, drifting];
    this.#texts = texts;
    this.#policies = [compiled(texts[0], START), compiled(texts[1], START)];
    [this.#policy] = this.#policies;
    this.checker = new InvariantChecker({
      ...{ sandbox: this.sandbox, stores: this.stores, now: () => this.time.now() },
      ...{ withOlderVersion: other !== null, heldBack: (id, kind) => this.#expectedEnd.heldBack(id, kind) },
      ...{ accepted: this.#accepted, reached: this.reached },
      ...{ clocksMs: 2 * this.faultProfile.skewMs, slowMs: this.faultProfile.longestDelayMs },
    });
    this.#expectedEnd = new ExpectedEnd(this, () => this.#brokenRole);
    const options = { seed, processes: this.#processes, texts, start: START, accepted: this.#accepted };
    this.#mixed = other === null ? null : new MixedVersions(other, this, options);
    const reactor = new Reactor(this);
    this.#externalActors = new ExternalActors(this, this.#mixed?.reactorBeside(reactor) ?? reactor);
    this.#runtime = new SimulatedRuntime(this, this.#accepted);
    this.#operators = new Operators(this);
    this.#foreignOperators = new ForeignOperators(this, seed);
    this.#logKeepers = new LogKeepers(this, seed, other !== null);
    const parts = { operators: this.#operators, externalActors: this.#externalActors, logKeepers: this.#logKeepers };
    this.#restores = new Restores(this, seed, parts);
    this.stores.inside.onEntry = (entry) => {
      this.#foreignOperators.written(entry);
      this.checker.written(entry);
      this.#tally.written(entry);
    };
    this.stores.inside.onMessage = () => {
      this.#runtime.wake();
      this.#mixed?.runtime.wake();
    };
  }

  readonly newId = (): string => {
    this.#ids += 1;
    return String(this.#ids).padStart(26, '0');
  };

  readonly reached: Simulation['reached'] = (state) => this.#tally.reached(state);

  note(line: string): void {
    this.#trace?.push(`${new Date(this.time.now()).toISOString()} ${line}`);
    if (line.endsWith(' dies')) this.#tally.died();
  }

  arrived(request: Request, by: Process, policy: CompiledPolicy): void {
    this.#tally.called(request, by.name, this.time.now());
    this.note(`${by.name} ${request.operation} in ${request.callerAccountId} ${JSON.stringify(request.input)}`);
    this.checker.arrived(request, by, policy);
    this.#administrators.overtake(this, this.#externalActors, request);
  }

  acted(request: Request, output: Readonly<Record<string, unknown>> | null, refused: boolean): void {
    this.checker.acted(request, output, refused);
    this.#tally.acted(request, output, refused);
    // A request whose response was lost may still have acted, and CloudTrail reports it.
    if (enrollmentChangedBy(request) !== null && (output !== null || this.chance.happens(0.5)))
      this.#externalActors.deliverEventOf(request);
  }

  answered(request: Request, output: Readonly<Record<string, unknown>>, by: Process): void {
    this.checker.answered(request, output, by);
    this.#tally.answered(request, output, by.name);
  }

  sent(messages: readonly WorkMessage[], by: Process): void {
    this.checker.sent(messages, by);
  }

  received(deliveries: readonly Delivery[], by: Process): void {
    this.checker.received(deliveries, by);
    const { hash } = this.#policy;
    if (deliveries.some(({ message }) => message.policyHash !== hash)) this.reached('message of a replaced policy');
  }

  finished(delivery: Delivery, by: Process): void {
    this.checker.finished(delivery, by);
  }

  get policy(): CompiledPolicy {
    return this.#policy;
  }

  /** Runs the history to its end. */
  async live(): Promise<Verdict> {
    this.checker.observe();
    if (!this.#foreignOperators.storeIsUnbound) await bindOrganization(this.stores, this.caller, START);
    await withTimersOf(this.time, async () => {
      this.note(`policy:\n${this.#texts[0]}faultProfile: ${JSON.stringify(this.faultProfile)}`);
      this.#storm();
      this.#foreignOperators.begin();
      this.#restores.begin();
      this.#logKeepers.begin();
      this.#administrators.begin(this, this.#externalActors);
      this.#profile.begin(this, this.#operators);
      this.calmAt = START + this.chance.between(30, 120) * MINUTE;
      await this.time.run(() => false, this.calmAt);
      this.#calm();
      const ended = await this.time.run(() => this.#hasConverged(), this.calmAt + CALM_LIMIT_MS);
      const flaws = ended ? [] : [...this.#expectedEnd.flaws()];
      if (!ended) this.checker.report(1, `not converged after ${CALM_LIMIT_MS / HOUR} calm hours: ${flaws.join(', ')}`);
      this.over = true;
      await this.#foreignOperators.check();
      this.checker.checkLedger();
      await this.#logKeepers.check();
      this.checker.rubbish(this.#externalActors.rubbish, await this.stores.deadLetters.list(Number.POSITIVE_INFINITY));
      for (const what of this.#mixed?.unreadable() ?? []) this.checker.report(1, what);
      const { limits } = this.#policy.policy; // Both policies have the same.
      const ceiling = callCeiling(limits);
      if (ceiling !== null) this.checker.pace(ceiling, WORKERS * limits.concurrency);
    });
    return {
      seed: this.seed,
      violations: this.checker.violations,
      trace: this.#trace ?? [],
      ...this.#tally.result,
      virtualMs: this.time.now() - START,
    };
  }

  #hasConverged(): boolean {
    if (this.time.now() - this.#checkedAt < CHECK_EVERY_MS) return false;
    this.#checkedAt = this.time.now();
    return this.#expectedEnd.reached;
  }

  #storm(): void {
    this.sandbox.setFaults(this.faultProfile.faults);
    for (let n = 0; n < WORKERS; n += 1) this.#anyRuntime().startWorker();
    this.#every(
      () => MINUTE,
      () => this.#anyRuntime().tick(),
    );
    this.#every(
      () => this.chance.between(1, 20) * MINUTE,
      () => void (this.calmed || this.#externalActors.act()),
    );
    this.#every(
      () => this.chance.between(20, 60) * MINUTE,
      () => {
        if (!this.calmed || this.chance.happens(0.2)) dryRun(this);
      },
    );
    this.#every(
      () => this.chance.between(5, 90) * MINUTE,
      () => this.#operators.act(),
    );
    if (this.#texts[0] !== this.#texts[1] && this.chance.happens(0.5)) {
      this.time.after(this.chance.between(10, 90) * MINUTE, () => this.#editPolicy());
    }
  }

  /** Ends all faults and fixes what was broken. */
  #calm(): void {
    this.note('--- calm');
    this.faultProfile = CALM;
    this.sandbox.setFaults([]);
    this.sandbox.setTrustedAccess(true);
    const whole = this.#policy.policy.guardrails.minCoverage > 0;
    const members = this.sandbox.accounts().filter(({ management }) => !management);
    if (!whole && this.chance.happens(0.3)) this.#brokenRole = this.chance.any(members)?.accountId ?? null;
    this.note(`the role stays broken of ${this.#brokenRole}`);
    const ids = this.sandbox.accounts().map(({ accountId }) => accountId);
    const fixed = ids.map((id) => ({ accountId: id, roleAssumable: id !== this.#brokenRole, enrollmentFailure: null }));
    this.sandbox.changeAccounts({ update: fixed });
  }

  #anyRuntime(): SimulatedRuntime {
    return this.#mixed?.any(this.#runtime, this.#mixed.runtime) ?? this.#runtime;
  }

  policyOf(hash: string): CompiledPolicy {
    const found = this.#policies.find((policy) => policy.hash === hash);
    if (found === undefined) throw new Error(`no policy of this history has the hash ${hash}`);
    return found;
  }

  get calmed(): boolean {
    return this.faultProfile === CALM;
  }

  #every(period: () => number, act: () => void): void {
    const again = (): void => {
      if (this.over) return;
      act();
      this.time.after(period(), again);
    };
    this.time.after(period(), again);
  }

  /** Runs `work` in a separate process. */
  invoke(what: string, work: (process: Process) => Promise<void>, after?: () => void): void {
    this.#processes.invoke(what, work, after);
  }

  /** Changes the policy. Processes restart with it one after the other. */
  #editPolicy(): void {
    this.note(`policy:\n${this.#texts[1]}`);
    this.#policy = this.#policies[1];
    this.#processes.restart();
  }
}
