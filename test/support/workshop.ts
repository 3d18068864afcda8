import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type EmbeddedStore, openEmbeddedStore } from '../../shared/adapters/embedded/store.ts';
import { DEFAULT_SETTINGS, type Deps, type RunContext, type Settings, type Stores } from '../../shared/app/context.ts';
import { RunStore } from '../../shared/app/coordination/run-store.ts';
import type { Plan } from '../../shared/app/plan/plan.ts';
import { deliver, processMessage } from '../../shared/app/reconciler/deliver.ts';
import type { WorkContext, WorkResult } from '../../shared/app/reconciler/worker-context.ts';
import { createWork } from '../../shared/app/reconciler/worker-context.ts';
import { scan } from '../../shared/app/scan/scan.ts';
import { createRetrying, type Retrying } from '../../shared/app/support/retry.ts';
import { queueDue } from '../../shared/app/work-queue/requeue-due.ts';
import { emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { type ChainHead, checkLink, EMPTY_CHAIN, headOf, type LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Logger } from '../../shared/ports/system.ts';
import { NO_TRACER } from '../../shared/ports/tracer.ts';
import { CALLER, MANAGEMENT, MEMBER, NOW } from './domain-kit.ts';
import { HOST } from './host.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import { type MemoryCloud, type MemoryCloudOptions, memoryCloud } from './memory-cloud.ts';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface WorkshopOptions {
  readonly policy: CompiledPolicy;
  /** Number of members, in addition to the management account, which is compliant from the start. */
  readonly members?: number;
  readonly settings?: Partial<Settings>;
  readonly cloud?: Partial<MemoryCloudOptions>;
}

/** One organization, one embedded store in its own directory, a manual clock, and any number of processes. */
export class Workshop {
  readonly clock: ManualClock;
  readonly cloud: MemoryCloud;
  readonly policy: CompiledPolicy;
  readonly settings: Settings;
  readonly store: EmbeddedStore;
  readonly members: readonly OrganizationAccount[];
  readonly #directory: string;
  #ids = 0;
  #runs = 0;

  private constructor(options: WorkshopOptions, store: EmbeddedStore, directory: string, clock: ManualClock) {
    this.clock = clock;
    this.store = store;
    this.#directory = directory;
    this.policy = options.policy;
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.members = Array.from({ length: options.members ?? 1 }, (_, n) => ({ ...MEMBER, id: accountId(n) }));
    const accounts = [MANAGEMENT, ...this.members];
    this.cloud = memoryCloud({ clock, caller: CALLER, accounts, ...options.cloud });
    this.cloud.set(MANAGEMENT.id, { computeOptimizer: { status: 'Active' }, automation: { status: 'Active' } });
  }

  static async open(options: WorkshopOptions): Promise<Workshop> {
    const clock = manualClock(NOW);
    const directory = mkdtempSync(join(tmpdir(), 'rollcall-worker-'));
    let ids = 0;
    const newId = (): string => `message-${ids++}`;
    const store = await openEmbeddedStore({ ...HOST, dataDir: join(directory, 'data'), clock, newId });
    return new Workshop(options, store, directory, clock);
  }

  async close(): Promise<void> {
    await this.store.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** The parts of a process; `over` replaces some of them. */
  deps(over: Partial<Deps> = {}): Deps {
    const { ledger, records, queue, registers, snapshots } = this.store;
    const stores: Stores = { ledger, records, queue, registers, snapshots };
    const newId = (): string => `id-${String(this.#ids++).padStart(6, '0')}`;
    const system = {
      clock: this.clock,
      random: () => 0.5,
      newId,
      logger: silent,
      tracer: NO_TRACER,
      actor: CALLER.arn,
    };
    return { ...stores, cloud: this.cloud, ...system, ...over };
  }

  /** A new process without any state in memory. */
  process(over: Partial<Deps> = {}): Promise<WorkContext> {
    return createWork(this.deps(over), this.settings, this.retrying(), this.policy);
  }

  retrying(): Retrying {
    return createRetrying(this.clock, () => 0.5, this.settings.retryBudgetMs);
  }

  run(planHash: string | null = null): RunContext {
    this.#runs += 1;
    return { runId: `run-${this.#runs}`, policy: this.policy, planHash };
  }

  /** One scan; its keys are on the queue afterwards. */
  async scan(run: RunContext = this.run()): Promise<Plan> {
    return this.settle(
      scan(this.deps(), this.settings, this.retrying(), run, () => undefined, new AbortController().signal),
    );
  }

  /** Takes every message off the queue without working on it. */
  async messages(): Promise<WorkMessage[]> {
    const taken: WorkMessage[] = [];
    for (;;) {
      const deliveries = await this.store.queue.receive(10, 60_000);
      if (deliveries.length === 0) return taken;
      taken.push(...deliveries.map(({ message }) => message));
      await this.store.queue.acknowledge(deliveries);
    }
  }

  /** Works on one message to its end. */
  async handle(work: WorkContext, message: WorkMessage): Promise<WorkResult> {
    return this.settle(processMessage(work, message));
  }

  /** Works until the queue is empty, including follow-ups. */
  async workOff(work: WorkContext): Promise<void> {
    for (;;) {
      const [delivery] = await this.store.queue.receive(1, this.settings.visibilityMs);
      if (delivery === undefined) return;
      const { end } = await this.settle(deliver(work, delivery, 0));
      if (end === 'done') await this.store.queue.acknowledge([delivery]);
    }
  }

  /** Advances time and works on everything that is due by then. */
  async later(work: WorkContext, ms: number): Promise<void> {
    await this.clock.advance(ms);
    await queueDue(this.deps(), new RunStore(this.store.registers), this.policy.hash);
    await this.workOff(work);
  }

  /** Awaits work that sleeps, by advancing the clock to each wake-up time. */
  async settle<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const end = work.finally(() => {
      done = true;
    });
    end.catch(() => undefined);
    while (!done) {
      // Work that the last step started continues first: a write to the store may wait some milliseconds for others, and little virtual time must pass meanwhile.
      await moment();
      if (!done && !(await this.clock.advanceToNext())) await Promise.race([end.catch(() => undefined), turn()]);
    }
    return end;
  }

  async chain(accountIdOrChain: string): Promise<readonly LedgerEntry[]> {
    return this.store.ledger.read(accountIdOrChain, 0, 1_000);
  }

  /** The types of an account's entries about one enrollment, in order. */
  async types(id: AccountId, enrollment: EnrollmentId = 'computeOptimizer'): Promise<readonly string[]> {
    const chain = await this.chain(id);
    return chain.filter((entry) => entry.enrollment === enrollment).map(({ type }) => type);
  }

  async condition(id: AccountId, enrollment: EnrollmentId = 'computeOptimizer') {
    const record = await this.store.records.get(id);
    return record?.conditions[enrollment] ?? expect.fail(`nothing is known of ${id}`);
  }

  /**
   * Checks the invariants: every chain verifies, the records are its fold, every mutating call has an intent before it, and no claim had more than one call
   * (retries of the same call share its claim).
   */
  async checkInvariants(): Promise<void> {
    for (const chain of await this.store.ledger.chains(null, 1_000)) {
      const entries = await this.chain(chain);
      let head: ChainHead = EMPTY_CHAIN;
      for (const entry of entries) {
        expect(checkLink(head, entry)).toBeNull();
        head = headOf(entry);
      }
      if (chain === 'organization') continue;
      const stored = await this.store.records.get(chain);
      if (stored?.head.seq === head.seq) expect(stored).toEqual(entries.reduce(foldEntry, emptyRecord(chain)));
    }
    const intents = new Map<string, number>();
    for (const { id } of [MANAGEMENT, ...this.members]) {
      const started = (await this.chain(id)).filter(({ type }) => type === 'RemediationStarted');
      intents.set(id, started.length);
    }
    for (const { accountIds } of this.cloud.changes) {
      for (const id of accountIds) expect(intents.get(id), `calls about ${id} without an intent`).toBeGreaterThan(0);
    }
  }
}

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The nth member. */
export function accountId(n: number): string {
  return String(300_000_000_000 + n);
}

export function keyOf(
  workshop: Workshop,
  run: RunContext,
  n = 0,
  enrollment: EnrollmentId = 'computeOptimizer',
): WorkMessage {
  const { policy } = workshop;
  const { runId, planHash } = run;
  return { v: 1, kind: 'account', accountId: accountId(n), enrollment, policyHash: policy.hash, runId, planHash };
}
