import { createSandbox, type Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { bindOrganization } from '../../shared/app/coordination/organization-binding.ts';
import type { AccountId, Caller } from '../../shared/domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import { Behaviour } from './behaviour.ts';
import { dryRun } from './dry-run.ts';
import { isChange, type Request } from './engine-cloud.ts';
import { Wanted } from './expected-end.ts';
import { Others } from './external-actors.ts';
import { CALM, type Weather, weatherOf } from './fault-profile.ts';
import { Strangers } from './foreign-operators.ts';
import { Judge } from './invariant-checker.ts';
import { type MemoryStores, memoryStores } from './memory-stores.ts';
import { Operators } from './operators.ts';
import { compiled, policyTexts } from './policies.ts';
import { Process } from './process.ts';
import { Reactor } from './reactor.ts';
import { Restores } from './restores.ts';
import { Chance } from './seeded-random.ts';
import { type RuntimeStage, SimulatedRuntime } from './simulated-runtime.ts';
import { VirtualTime, withTimersOf } from './virtual-time.ts';

/** 2026-11-22T12:00:00Z */
const START = 1_795_348_800_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WORKERS = 3;
/** After the weather has calmed everything has to end well within this time: a cool-down, a deadline and some backoff. */
const CALM_LIMIT_MS = 6 * 24 * HOUR;
/** How often it is looked whether all is as it should be at the end. */
const LOOK_MS = 5_000;

export interface Verdict {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Hash of what it did. */
  readonly behaviour: string;
  readonly calls: number;
  readonly entries: number;
  readonly deaths: number;
  readonly virtualMs: number;
}

/**
 * The whole of Rollcall in one process on virtual time: ticks, scanners and workers as in the deployed runtime, over stores in memory and the
 * sandbox's engine, in the weather of a seed. First everything goes wrong that can, then the weather calms, and it has to end as the policy wants.
 */
export class History implements RuntimeStage {
  readonly seed: number;
  readonly chance: Chance;
  readonly time: VirtualTime;
  readonly stores: MemoryStores;
  readonly sandbox: Sandbox;
  readonly caller: Caller;
  readonly judge: Judge;
  weather: Weather;
  readonly #wanted: Wanted;
  readonly #others: Others;
  readonly #operators: Operators;
  readonly #strangers: Strangers;
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
  #lookedAt = 0;
  /** Whose role nobody mends. */
  #lost: AccountId | null = null;
  readonly #accepted = new Set<string>();
  readonly #behaviour = new Behaviour();

  constructor(seed: number, keepTrace: boolean) {
    this.seed = seed;
    this.chance = new Chance(seed);
    this.#trace = keepTrace ? [] : null;
    this.time = new VirtualTime(START, this.chance.random);
    this.weather = weatherOf(this.chance);
    this.stores = memoryStores(this.time, {
      doubles: () => this.chance.happens(this.weather.doubles),
      order: (items) => this.chance.shuffled(items),
      lagMs: () => this.weather.lagMs,
    });
    this.sandbox = createSandbox(this.#world(), { clock: this.time });
    const { organizationId, managementAccountId } = this.sandbox.info();
    this.caller = {
      accountId: managementAccountId,
      arn: `arn:aws:iam::${managementAccountId}:role/rollcall`,
      partition: 'aws',
      ...{ organizationId, managementAccountId, role: 'management' },
    };
    this.#texts = policyTexts(this.chance, this.#members()[0]?.accountId ?? managementAccountId);
    this.#policy = compiled(this.#texts[0], START);
    this.judge = new Judge({
      ...{ sandbox: this.sandbox, stores: this.stores, now: () => this.time.now() },
      accepted: this.#accepted,
      heldBack: (id, enrollment) => this.#wanted.heldBack(id, enrollment),
    });
    this.#wanted = new Wanted(this, () => this.#lost);
    this.#others = new Others(this, new Reactor(this));
    this.#operators = new Operators(this);
    this.#runtime = new SimulatedRuntime(this, this.#accepted);
    this.#strangers = new Strangers(this, seed);
    this.#restores = new Restores(this, seed, { operators: this.#operators, others: this.#others });
    this.stores.inside.onEntry = (entry) => {
      this.#strangers.written(entry);
      this.judge.written(entry);
      this.#behaviour.written(entry);
    };
    this.stores.inside.onMessage = () => this.#runtime.wake();
  }

  #world() {
    const { chance } = this;
    return {
      ...{ seed: this.seed, accounts: chance.between(5, 12), drift: chance.random(), latencyMs: 0, faults: [] },
      pendingMs: chance.of([0, 0, 20_000, 30 * MINUTE]),
      brokenRoles: chance.of([0, 0, 0.2]),
      coolingDown: chance.of([0, 0, 0.3]),
      rate: chance.of([undefined, 5]),
      orgRate: chance.of([undefined, 2]),
    };
  }

  #members() {
    return this.sandbox.accounts().filter(({ management }) => !management);
  }

  readonly newId = (): string => {
    this.#ids += 1;
    return String(this.#ids).padStart(26, '0');
  };

  note(line: string): void {
    this.#trace?.push(`${new Date(this.time.now()).toISOString()} ${line}`);
    if (line.endsWith(' dies')) this.#deaths += 1;
  }

  arrived(request: Request, by: Process, policy: CompiledPolicy): void {
    this.#calls += 1;
    this.#behaviour.called(request, by.name, this.time.now());
    this.note(`${by.name} ${request.operation} in ${request.callerAccountId} ${JSON.stringify(request.input)}`);
    this.judge.arrived(request, by, policy);
  }

  acted(request: Request, output: Readonly<Record<string, unknown>> | null): void {
    this.judge.acted(request, output);
    // What it answered to nobody may have been done all the same: CloudTrail tells of that, too.
    if (isChange(request.operation) && (output !== null || this.chance.happens(0.5))) this.#others.told(request);
  }

  sent(messages: readonly WorkMessage[], by: Process): void {
    this.judge.sent(messages, by);
  }

  received(deliveries: readonly Delivery[], by: Process): void {
    this.judge.received(deliveries, by);
  }

  leftOff(delivery: Delivery, by: Process): void {
    this.judge.leftOff(delivery, by);
  }

  get policy(): CompiledPolicy {
    return this.#policy;
  }

  /** Lives the history through. */
  async live(): Promise<Verdict> {
    this.judge.look();
    if (!this.#strangers.storeIsUnbound) await bindOrganization(this.stores, this.caller, START);
    await withTimersOf(this.time, async () => {
      this.note(`policy:\n${this.#texts[0]}weather: ${JSON.stringify(this.weather)}`);
      this.#storm();
      this.#strangers.begin();
      this.#restores.begin();
      this.calmAt = START + this.chance.between(30, 120) * MINUTE;
      await this.time.run(() => false, this.calmAt);
      this.#calm();
      const ended = await this.time.run(() => this.#isAsWanted(), this.calmAt + CALM_LIMIT_MS);
      const flaws = ended ? [] : [...this.#wanted.flaws()];
      if (!ended) this.judge.accuse(1, `not as wanted after ${CALM_LIMIT_MS / HOUR} calm hours: ${flaws.join(', ')}`);
      this.over = true;
      await this.#strangers.check();
      this.judge.books();
      this.judge.rubbish(this.#others.rubbish, (await this.stores.queue.depth()).dead);
      // The same in both policies.
      const { callsPerSecond, concurrency } = this.#policy.policy.limits;
      this.judge.pace(callsPerSecond, WORKERS * concurrency);
    });
    const entries = [...this.stores.inside.chains.values()].reduce((sum, chain) => sum + chain.length, 0);
    const { violations } = this.judge;
    const counts = { calls: this.#calls, entries, deaths: this.#deaths, virtualMs: this.time.now() - START };
    const behaviour = this.#behaviour.digest;
    return { seed: this.seed, violations, trace: this.#trace ?? [], behaviour, ...counts };
  }

  #isAsWanted(): boolean {
    if (this.time.now() - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = this.time.now();
    return this.#wanted.reached;
  }

  #storm(): void {
    this.sandbox.setFaults(this.weather.faults);
    for (let n = 0; n < WORKERS; n += 1) this.#runtime.startWorker();
    this.#every(
      () => MINUTE,
      () => this.#runtime.tick(),
    );
    this.#every(
      () => this.chance.between(1, 20) * MINUTE,
      () => {
        if (!this.calmed) this.#others.act();
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

  /** Everybody behaves from here on, and what was broken is mended. */
  #calm(): void {
    this.note('--- calm');
    this.weather = CALM;
    this.sandbox.setFaults([]);
    this.sandbox.setTrustedAccess(true);
    const whole = this.#policy.policy.guardrails.minCoverage > 0;
    if (!whole && this.chance.happens(0.3)) this.#lost = this.chance.any(this.#members())?.accountId ?? null;
    this.note(`nobody mends the role of ${this.#lost}`);
    const update = this.sandbox.accounts().map(({ accountId }) => {
      return { accountId, roleAssumable: accountId !== this.#lost, enrollmentFailure: null };
    });
    this.sandbox.changeAccounts({ update });
  }

  get calmed(): boolean {
    return this.weather === CALM;
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

  /** Runs `work` as a process of its own; what it throws ends it and nothing else. */
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

  /** Another policy: processes are started anew with it, one after the other. */
  #editPolicy(): void {
    this.note(`policy:\n${this.#texts[1]}`);
    this.#policy = compiled(this.#texts[1], START);
    for (const process of this.#living) this.time.after(this.chance.between(0, 60_000), () => process.end());
  }
}
