import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { bindOrganization } from '../../shared/app/coordination/organization-binding.ts';
import type { AccountId, Caller } from '../../shared/domain/enrollment/model.ts';
import { type CompiledPolicy, callCeiling } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import { enrollmentChangedBy } from '../support/mutating-calls.ts';
import { Behaviour } from './behaviour.ts';
import type { ConfigurationAdministrators } from './configuration-administrators.ts';
import { dryRun } from './dry-run.ts';
import type { Request } from './engine-cloud.ts';
import type { Simulation } from './environment.ts';
import { ExpectedEnd } from './expected-end.ts';
import { ExternalActors } from './external-actors.ts';
import { CALM, type FaultProfile, faultProfileOf } from './fault-profile.ts';
import { ForeignOperators } from './foreign-operators.ts';
import { InvariantChecker } from './invariant-checker.ts';
import type { ManagedHub } from './managed-hub.ts';
import { type MemoryStores, memoryStores } from './memory-stores.ts';
import { Operators } from './operators.ts';
import { compiled } from './policies.ts';
import { Process } from './process.ts';
import type { RareProfile } from './rare-profile.ts';
import { RareStates } from './rare-states.ts';
import { Reactor } from './reactor.ts';
import { Restores } from './restores.ts';
import { SeededRandom } from './seeded-random.ts';
import { settingOf } from './setting.ts';
import { type RuntimeSimulation, SimulatedRuntime } from './simulated-runtime.ts';
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
  readonly #runtime: SimulatedRuntime;
  readonly #trace: string[] | null;
  readonly #texts: readonly [string, string];
  #policy: CompiledPolicy;
  #ids = 0;
  #processes = 0;
  #deaths = 0;
  #calls = 0;
  #living = new Set<Process>();
  over = false;
  calmAt = Number.POSITIVE_INFINITY;
  #checkedAt = 0;
  /** The account whose role stays broken. */
  #brokenRole: AccountId | null = null;
  readonly #accepted = new Set<string>();
  readonly #behaviour = new Behaviour();
  readonly #rare: RareStates;

  constructor(seed: number, keepTrace: boolean) {
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
    this.#rare = new RareStates((id) => this.stores.inside.accountOf(id));
    const { administrators, profile, sandbox, caller, drifting, texts } = settingOf(seed, this.chance, this.time);
    this.#administrators = administrators;
    this.#profile = profile;
    this.sandbox = sandbox;
    this.caller = caller;
    this.drifting = drifting;
    this.#texts = texts;
    this.#policy = compiled(this.#texts[0], START);
    this.checker = new InvariantChecker({
      ...{ sandbox: this.sandbox, stores: this.stores, now: () => this.time.now() },
      accepted: this.#accepted,
      heldBack: (id, enrollment) => this.#expectedEnd.heldBack(id, enrollment),
      reached: this.reached,
    });
    this.#expectedEnd = new ExpectedEnd(this, () => this.#brokenRole);
    this.#externalActors = new ExternalActors(this, new Reactor(this));
    this.#operators = new Operators(this);
    this.#runtime = new SimulatedRuntime(this, this.#accepted);
    this.#foreignOperators = new ForeignOperators(this, seed);
    this.#restores = new Restores(this, seed, { operators: this.#operators, externalActors: this.#externalActors });
    this.stores.inside.onEntry = (entry) => {
      this.#foreignOperators.written(entry);
      this.checker.written(entry);
      this.#behaviour.written(entry);
      this.#rare.written(entry);
    };
    this.stores.inside.onMessage = () => this.#runtime.wake();
  }

  #members() {
    return this.sandbox.accounts().filter(({ management }) => !management);
  }

  readonly newId = (): string => {
    this.#ids += 1;
    return String(this.#ids).padStart(26, '0');
  };

  readonly reached: Simulation['reached'] = (state) => this.#rare.reached(state);

  note(line: string): void {
    this.#trace?.push(`${new Date(this.time.now()).toISOString()} ${line}`);
    if (line.endsWith(' dies')) this.#deaths += 1;
  }

  arrived(request: Request, by: Process, policy: CompiledPolicy): void {
    this.#calls += 1;
    this.#behaviour.called(request, by.name, this.time.now());
    this.note(`${by.name} ${request.operation} in ${request.callerAccountId} ${JSON.stringify(request.input)}`);
    this.checker.arrived(request, by, policy);
    this.#administrators.overtake(this, this.#externalActors, request);
  }

  acted(request: Request, output: Readonly<Record<string, unknown>> | null, refused: boolean): void {
    this.checker.acted(request, output, refused);
    this.#rare.acted(request, output, refused);
    // A request whose response was lost may still have acted, and CloudTrail reports it.
    if (enrollmentChangedBy(request) !== null && (output !== null || this.chance.happens(0.5)))
      this.#externalActors.deliverEventOf(request);
  }

  answered(request: Request, output: Readonly<Record<string, unknown>>, by: Process): void {
    this.checker.answered(request, output, by);
    this.#rare.answered(request, output, by.name);
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
      this.checker.rubbish(this.#externalActors.rubbish, (await this.stores.queue.depth()).dead);
      // Both policies have the same limits.
      const { limits } = this.#policy.policy;
      const ceiling = callCeiling(limits);
      if (ceiling !== null) this.checker.pace(ceiling, WORKERS * limits.concurrency);
    });
    const entries = [...this.stores.inside.chains.values()].reduce((sum, chain) => sum + chain.length, 0);
    const { violations } = this.checker;
    const rare = this.#rare.counts;
    const counts = { calls: this.#calls, entries, deaths: this.#deaths, virtualMs: this.time.now() - START };
    const behaviour = this.#behaviour.digest;
    return { seed: this.seed, violations, trace: this.#trace ?? [], behaviour, rare, ...counts };
  }

  #hasConverged(): boolean {
    if (this.time.now() - this.#checkedAt < CHECK_EVERY_MS) return false;
    this.#checkedAt = this.time.now();
    return this.#expectedEnd.reached;
  }

  #storm(): void {
    this.sandbox.setFaults(this.faultProfile.faults);
    for (let n = 0; n < WORKERS; n += 1) this.#runtime.startWorker();
    this.#every(
      () => MINUTE,
      () => this.#runtime.tick(),
    );
    this.#every(
      () => this.chance.between(1, 20) * MINUTE,
      () => {
        if (!this.calmed) this.#externalActors.act();
      },
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
    if (!whole && this.chance.happens(0.3)) this.#brokenRole = this.chance.any(this.#members())?.accountId ?? null;
    this.note(`the role stays broken of ${this.#brokenRole}`);
    const update = this.sandbox.accounts().map(({ accountId }) => {
      return { accountId, roleAssumable: accountId !== this.#brokenRole, enrollmentFailure: null };
    });
    this.sandbox.changeAccounts({ update });
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

  #newProcess(what: string): Process {
    this.#processes += 1;
    const process = new Process(this, `${what}-${this.#processes}`);
    this.#living.add(process);
    return process;
  }

  /** Runs `work` in a separate process. An error ends only that process. */
  invoke(what: string, work: (process: Process) => Promise<void>, after?: () => void): void {
    const process = this.#newProcess(what);
    process.stop.addEventListener('abort', () => {
      this.#living.delete(process);
      after?.();
    });
    work(process)
      .catch((error: unknown) =>
        this.note(`${process.name} ends: ${error instanceof Error ? error.message : String(error)}`),
      )
      .finally(() => process.end());
  }

  /** Changes the policy. Processes restart with it one after the other. */
  #editPolicy(): void {
    this.note(`policy:\n${this.#texts[1]}`);
    this.#policy = compiled(this.#texts[1], START);
    for (const process of this.#living) this.time.after(this.chance.between(0, 60_000), () => process.end());
  }
}
