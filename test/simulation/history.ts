import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import { createSandbox, type Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { createWork } from '../../shared/app/apply.ts';
import { approve } from '../../shared/app/approvals.ts';
import { scanPart } from '../../shared/app/continue-scan.ts';
import { halt, resume, suspend, unhalt } from '../../shared/app/controls.ts';
import { DEFAULT_SETTINGS } from '../../shared/app/deps.ts';
import { lookAt } from '../../shared/app/look-at.ts';
import { publishUnpublished } from '../../shared/app/publish.ts';
import { resumeContested } from '../../shared/app/resume-contested.ts';
import { advanceRollout } from '../../shared/app/rollout.ts';
import { RunStates } from '../../shared/app/run-state.ts';
import { plan } from '../../shared/app/scan.ts';
import { requestScan } from '../../shared/app/schedule.ts';
import { queueDue } from '../../shared/app/tick.ts';
import { timedChores } from '../../shared/app/timed-chores.ts';
import { WorkerPool } from '../../shared/app/worker/pool.ts';
import {
  type AccountFacts,
  type CompiledPolicy,
  type OperatorSelector,
  parseOperatorSelector,
} from '../../shared/domain/policy/index.ts';
import type { Caller } from '../../shared/domain/types.ts';
import { ENROLLMENTS, type Enrollment } from '../../shared/domain/types.ts';
import type { EventBus } from '../../shared/ports/bus.ts';
import { Chance } from './chance.ts';
import type { Request } from './engine-cloud.ts';
import type { Ground } from './ground.ts';
import { type Controls, Judge } from './judge.ts';
import { type MemoryStores, memoryStores } from './memory-stores.ts';
import { compiled, policyTexts } from './policies.ts';
import { Process } from './process.ts';
import { VirtualTime, withTimersOf } from './virtual-time.ts';
import { CALM, type Weather, weatherOf } from './weather.ts';

/** 2026-11-22T12:00:00Z */
const START = 1_795_348_800_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WORKERS = 3;
/** After the weather has calmed everything has to end well within this time: a cool-down, a deadline and some backoff. */
const CALM_LIMIT_MS = 6 * 24 * HOUR;

export interface Verdict {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly calls: number;
  readonly entries: number;
  readonly deaths: number;
  readonly virtualMs: number;
}

/**
 * The whole of Rollcall in one process on virtual time: ticks, scanners and workers as in the deployed runtime, over stores in memory and the
 * sandbox's engine, in the weather of a seed. First everything goes wrong that can, then the weather calms, and it has to end as the policy wants.
 */
export class History implements Ground {
  readonly seed: number;
  readonly chance: Chance;
  readonly time: VirtualTime;
  readonly stores: MemoryStores;
  readonly sandbox: Sandbox;
  readonly caller: Caller;
  readonly judge: Judge;
  weather: Weather;
  readonly #controls: Controls = { haltedAt: null, suspendedAt: new Map() };
  readonly #trace: string[] | null;
  readonly #texts: readonly [string, string];
  #policy: CompiledPolicy;
  #ids = 0;
  #processes = 0;
  #deaths = 0;
  #calls = 0;
  #living = new Set<Process>();
  #waiting = new Set<() => void>();
  #over = false;
  /** An operator has approved a plan past maxChanges. */
  #lifted = false;
  readonly #stormLagMs: number;
  readonly #accepted = new Set<string>();

  constructor(seed: number, keepTrace: boolean) {
    this.seed = seed;
    this.chance = new Chance(seed);
    this.#trace = keepTrace ? [] : null;
    this.time = new VirtualTime(START, this.chance.random);
    this.weather = weatherOf(this.chance);
    this.#stormLagMs = this.weather.lagMs;
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
      ...{ sandbox: this.sandbox, stores: this.stores, controls: this.#controls, now: () => this.time.now() },
      underWay: WORKERS * 4,
      accepted: this.#accepted,
      slack: () => (this.#lifted ? null : this.#stormLagMs > 0 ? WORKERS * 4 : 0),
      heldBack: (id, enrollment) => {
        const condition = this.stores.inside.records.get(id)?.[enrollment];
        return this.#held(condition?.verdict ?? 'nothing', condition?.reason ?? null);
      },
    });
    this.stores.inside.onMessage = () => {
      for (const wake of this.#waiting) wake();
    };
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
    this.note(`${by.name} ${request.operation} in ${request.callerAccountId} ${JSON.stringify(request.input)}`);
    this.judge.arrived(request, policy);
  }

  /** Lives the history through. */
  async live(): Promise<Verdict> {
    await withTimersOf(this.time, async () => {
      this.note(`policy:\n${this.#texts[0]}weather: ${JSON.stringify(this.weather)}`);
      this.#storm();
      const calmAt = START + this.chance.between(30, 180) * MINUTE;
      await this.time.run(() => false, calmAt);
      this.#calm();
      const ended = await this.time.run(() => this.#asWanted() === null, calmAt + CALM_LIMIT_MS);
      if (!ended) this.judge.accuse(1, `not as wanted after ${CALM_LIMIT_MS / HOUR} calm hours: ${this.#asWanted()}`);
      this.#over = true;
      this.judge.books();
      this.judge.pace(Math.max(...this.#texts.map((text) => compiled(text, START).policy.limits.callsPerSecond)));
    });
    const entries = [...this.stores.inside.chains.values()].reduce((sum, chain) => sum + chain.length, 0);
    const { violations } = this.judge;
    const counts = { calls: this.#calls, entries, deaths: this.#deaths, virtualMs: this.time.now() - START };
    return { seed: this.seed, violations, trace: this.#trace ?? [], ...counts };
  }

  #storm(): void {
    this.sandbox.setFaults(this.weather.faults);
    for (let n = 0; n < WORKERS; n += 1) this.#startWorker();
    this.#every(
      () => MINUTE,
      () => this.#tick(),
    );
    this.#every(
      () => this.chance.between(1, 20) * MINUTE,
      () => this.#someoneActs(),
    );
    this.#every(
      () => this.chance.between(20, 60) * MINUTE,
      () => this.#dryRun(),
    );
    this.#every(
      () => this.chance.between(5, 90) * MINUTE,
      () => this.#operatorActs(),
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
    const update = this.sandbox.accounts().map(({ accountId }) => {
      return { accountId, roleAssumable: true, enrollmentFailure: null };
    });
    this.sandbox.changeAccounts({ update });
  }

  get #calmed(): boolean {
    return this.weather === CALM;
  }

  #every(period: () => number, act: () => void): void {
    const again = (): void => {
      if (this.#over) return;
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
  #invoke(what: string, work: (process: Process) => Promise<void>, after?: () => void): void {
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

  #startWorker(): void {
    const policy = this.#policy;
    this.#invoke(
      'worker',
      async (process) => {
        await process.step();
        const deps = process.deps(policy);
        const work = await createWork(deps, DEFAULT_SETTINGS, process.retrying(DEFAULT_SETTINGS), policy);
        const pool = new WorkerPool(work, () => undefined);
        while (!process.stop.aborted) {
          if (await pool.take()) await pool.lane();
          else await this.#message(process);
        }
        await pool.drain();
      },
      () => {
        if (!this.#over) this.time.after(this.chance.between(1, 60_000), () => this.#startWorker());
      },
    );
  }

  /** Waits until there may be a message. */
  async #message(process: Process): Promise<void> {
    const come = new AbortController();
    // A reason: without one an exception is made for it each time, stack and all.
    const wake = (): void => come.abort('a message');
    this.#waiting.add(wake);
    process.stop.addEventListener('abort', wake, { once: true });
    const next = this.stores.inside.nextVisible();
    const ms = next === null ? HOUR : Math.max(0, next - this.time.now());
    await this.time.sleep(ms, come.signal);
    this.#waiting.delete(wake);
    process.stop.removeEventListener('abort', wake);
    // Long polling: not all at the very same moment.
    await process.clock.sleep(this.chance.between(1, 200));
  }

  #tick(): void {
    // In calm weather most ticks find nothing to do: looking every few minutes is as good.
    if (this.#calmed && this.chance.happens(0.8)) return;
    const policy = this.#policy;
    this.#invoke('tick', async (process) => {
      const deps = process.deps(policy);
      const scanning = requestScan(deps, policy).then((request) => {
        if (request !== null) this.#startScanner(request.runId);
      });
      const due = advanceRollout(deps, policy).then(() => queueDue(deps, new RunStates(deps.registers), policy.hash));
      const publishing = publishUnpublished({ ...deps, bus: this.#bus() });
      const ends = await Promise.allSettled([scanning, due, publishing, timedChores(deps, policy)]);
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    });
  }

  /** A bus that takes some and refuses some. */
  #bus(): EventBus {
    return {
      publish: async (entries) => {
        const refused = entries.filter(() => this.chance.happens(this.weather.storeFails * 20));
        const accepted = new Set(entries.filter((entry) => !refused.includes(entry)).map(({ id }) => id));
        for (const id of accepted) this.#accepted.add(id);
        return { accepted, refused: refused.map(({ id }) => ({ id, code: 'InternalFailure', message: 'not now' })) };
      },
    };
  }

  #startScanner(runId: string): void {
    const policy = this.#policy;
    // A function's time: sometimes too short for all of it.
    const lifeMs = this.chance.of([15 * MINUTE, 15 * MINUTE, 2 * MINUTE]);
    this.#invoke('scanner', async (process) => {
      const deps = process.deps(policy);
      const end = this.time.now() + lifeMs;
      const deadline = { remainingMs: () => end - this.time.now(), reserveMs: MINUTE };
      const requests = { send: async ({ runId: next }: { readonly runId: string }) => this.#startScanner(next) };
      await scanPart(
        {
          ...{ deps, settings: DEFAULT_SETTINGS, retrying: process.retrying(DEFAULT_SETTINGS), policy },
          ...{ requests, deadline, onProgress: () => undefined },
        },
        runId,
      );
      if (this.time.now() > end) process.die();
    });
  }

  /** Somebody else does something: changes an enrollment, closes an account, breaks a role, sends an event about it. */
  #someoneActs(): void {
    if (this.#calmed) return;
    const { chance } = this;
    const account = chance.any(this.#members().filter(({ state }) => state === 'ACTIVE'));
    if (account === undefined) return;
    const { accountId } = account;
    const act = chance.of([
      'drift',
      'drift',
      'drift',
      'event',
      'role',
      'close',
      'join',
      'leave',
      'move',
      'trust',
      'fail',
    ] as const);
    this.note(`someone: ${act} ${accountId}`);
    try {
      switch (act) {
        case 'drift': {
          const enrollment = chance.of(['computeOptimizer', 'automation'] as const);
          const status = chance.of(['Active', 'Inactive', 'Failed'] as const);
          this.sandbox.drift({ changes: [{ accountId, enrollment, status }] });
          break;
        }
        case 'role':
          this.sandbox.changeAccounts({ update: [{ accountId, roleAssumable: chance.happens(0.5) }] });
          break;
        case 'fail':
          this.sandbox.changeAccounts({
            update: [{ accountId, enrollmentFailure: chance.happens(0.5) ? 'no role' : null }],
          });
          break;
        case 'close':
          if (chance.happens(0.5)) this.sandbox.changeAccounts({ update: [{ accountId, state: 'SUSPENDED' }] });
          break;
        case 'join':
          this.sandbox.changeAccounts({ add: [{ ou: account.ou }] });
          break;
        case 'leave':
          if (this.#members().length > 4) this.sandbox.changeAccounts({ remove: [accountId] });
          break;
        case 'move': {
          const { ou } = chance.any(this.#members()) ?? account;
          this.sandbox.changeAccounts({ update: [{ accountId, ou }] });
          break;
        }
        case 'trust':
          this.sandbox.setTrustedAccess(chance.happens(0.7));
          break;
        case 'event':
          break;
      }
    } catch (error) {
      // The sandbox refuses what AWS could not get to; then nobody did it.
      this.note(`someone could not: ${String(error)}`);
    }
    if (chance.happens(0.5)) this.#event(accountId);
  }

  /** An operator takes part, too. In calm weather only to set free what was stopped. */
  #operatorActs(): void {
    const { chance } = this;
    const acts = this.#calmed
      ? (['unhalt', 'resume', 'approve'] as const)
      : (['halt', 'unhalt', 'suspend', 'resume', 'approve'] as const);
    const act = chance.of<(typeof acts)[number]>([acts[0], ...acts.slice(1)]);
    const { accountId } = chance.any(this.#members()) ?? { accountId: this.caller.accountId };
    const policy = this.#policy;
    this.#invoke(`operator ${act}`, async (process) => {
      const deps = process.deps(policy);
      switch (act) {
        case 'halt':
          await halt(deps, 'incident');
          this.#controls.haltedAt ??= this.time.now();
          return;
        case 'unhalt':
          this.#controls.haltedAt = null;
          await unhalt(deps);
          return;
        case 'suspend':
          await suspend(deps, { selector: selectorOf(accountId), until: null, reason: 'incident' });
          if (!this.#controls.suspendedAt.has(accountId)) this.#controls.suspendedAt.set(accountId, this.time.now());
          return;
        case 'resume':
          this.#controls.suspendedAt.clear();
          await resumeContested(deps, selectorOf('all'));
          await resume(deps, selectorOf('all'));
          return;
        case 'approve': {
          const [plan] = await new RunStates(deps.registers).storedPlans('');
          this.#lifted ||= plan !== undefined;
          if (plan !== undefined) await approve(deps, plan.hash, { actor: 'operator', reason: null });
        }
      }
    });
  }

  #event(accountId: string): void {
    const policy = this.#policy;
    this.#invoke('reactor', async (process) => {
      await lookAt(process.deps(policy), policy.hash, [accountId]);
    });
  }

  /** Invariant 6. */
  #dryRun(): void {
    const policy = this.#policy;
    this.#invoke('plan', async (process) => {
      const deps = process.deps(policy);
      const forbid = (what: string) => async (): Promise<never> => {
        this.judge.accuse(6, `a dry run called ${what}`);
        throw new Error('a dry run writes nothing');
      };
      const ledger = {
        ...this.#readable(deps.ledger),
        append: forbid('append'),
        markPublished: forbid('markPublished'),
      };
      const records = { ...this.#readable(deps.records), advance: forbid('advance'), snooze: forbid('snooze') };
      const facts = { ...this.#readable(deps.facts), save: forbid('save'), refresh: forbid('refresh') };
      const cloud = {
        ...this.#readable(deps.cloud),
        updateEnrollmentStatus: forbid('updateEnrollmentStatus'),
        updateEnrollmentConfiguration: forbid('updateEnrollmentConfiguration'),
        associateAccounts: forbid('associateAccounts'),
        disassociateAccounts: forbid('disassociateAccounts'),
      };
      const run = { runId: this.newId(), policy, planHash: null };
      const dry = { ...deps, ledger, records, facts, cloud };
      await plan(dry, DEFAULT_SETTINGS, process.retrying(DEFAULT_SETTINGS), run, () => undefined);
    });
  }

  /** The members of a port behind a proxy, as an object of their own. */
  #readable<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      ownKeys: (target) => Reflect.ownKeys(target),
      getOwnPropertyDescriptor: (target, key) => ({
        ...Reflect.getOwnPropertyDescriptor(target, key),
        value: Reflect.get(target, key),
        configurable: true,
        enumerable: true,
      }),
    });
  }

  /** Another policy: processes are started anew with it, one after the other. */
  #editPolicy(): void {
    this.note(`policy:\n${this.#texts[1]}`);
    this.#policy = compiled(this.#texts[1], START);
    for (const process of this.#living) this.time.after(this.chance.between(0, 60_000), () => process.end());
  }

  /** `null` if every account is as the policy wants it and known to be so, and nothing is left to do; else the first thing that is not. */
  #asWanted(): string | null {
    if (!this.#calmed) return 'no calm yet';
    const { inside } = this.stores;
    if (inside.nextVisible() !== null) return 'messages on the queue';
    for (const entries of inside.chains.values()) {
      for (const { id, type, chain } of entries)
        if (!inside.published.has(id)) return `${chain} ${type} is not published`;
    }
    for (const account of this.sandbox.accounts()) {
      for (const enrollment of ENROLLMENTS) {
        const flaw = this.#flaw(account, enrollment);
        if (flaw !== null) return flaw;
      }
    }
    return null;
  }

  #flaw(account: AccountTruth, enrollment: Enrollment): string | null {
    const policy = this.#policy;
    const { accountId: id, name, ou, tags, state, management } = account;
    const facts: AccountFacts = { id, name, ou, tags, state, management };
    const wish = policy.resolve(facts);
    const condition = this.stores.inside.records.get(id)?.[enrollment] ?? null;
    const { verdict, reason } = condition ?? { verdict: 'nothing', reason: null };
    const { value } = wish[enrollment];
    const rules = enrollment === 'automation' && !management ? wish.organizationRules.value : 'unmanaged';
    const managed = value !== 'unmanaged' || rules !== 'unmanaged';
    const enforced = state === 'ACTIVE' && managed && wish.mode.value === 'enforce' && wish.contradiction === null;
    if (!enforced || policy.exemption(id, enrollment, this.time.now()) !== null || this.#held(verdict, reason))
      return null;
    const { status } = account[enrollment];
    const mode = account.automation.organizationRuleMode;
    const good = (value === 'unmanaged' || status === value) && (rules === 'unmanaged' || mode === rules);
    if (good && verdict === 'Compliant') return null;
    // Failed where Inactive is wanted is Blocked: nobody knows what would come of another call (design, verdicts).
    if (status === 'Failed' && value === 'Inactive' && verdict === 'Blocked') return null;
    return `${id} ${enrollment} is ${status} (${mode}), wanted ${value} (${rules}), known as ${verdict} ${reason ?? ''}`;
  }

  /** Caps hold changes back for as long as they hold; nobody is there to approve. */
  #held(verdict: string, reason: string | null): boolean {
    const { maxChanges } = this.#policy.policy.guardrails;
    if (maxChanges.percent > 0) return false;
    return verdict === 'Drifted' || (verdict === 'Blocked' && (reason === 'guardrail' || reason === 'prerequisite'));
  }
}

function selectorOf(text: string): OperatorSelector {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(`${text} is no selector`);
  return parsed.selector;
}
