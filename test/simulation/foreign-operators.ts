import { createSandbox, type Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import { withLease } from '../../shared/app/coordination/lease.ts';
import { bindOrganization } from '../../shared/app/coordination/organization-binding.ts';
import { createWork } from '../../shared/app/reconciler/create-worker.ts';
import { WorkerPool } from '../../shared/app/reconciler/worker-pool.ts';
import { scan } from '../../shared/app/scan/scan.ts';
import { SCAN_LEASE } from '../../shared/app/schedule/scan-schedule.ts';
import type { Caller } from '../../shared/domain/enrollment/model.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import type { Ground, Stage } from './environment.ts';
import { Process } from './process.ts';
import { Chance } from './seeded-random.ts';

const MINUTE = 60_000;
/** The part of the histories in which somebody uses the credentials of another organization. */
const SHARE = 0.25;

/**
 * Operators who use the credentials of another organization with the stores of this one: another profile, or a wrong account. Invariant 9: the store
 * refuses them, and nothing of the other organization is written. Their choices come from a random stream of their own.
 */
export class Strangers {
  /** An older version wrote this store: it has no record of its owner but the stored snapshot. */
  readonly storeIsUnbound: boolean;
  readonly #stage: Stage;
  readonly #chance: Chance;
  /** The other organization; `null`: this history has none. */
  readonly #other: { readonly sandbox: Sandbox; readonly caller: Caller } | null;
  #processes = 0;

  constructor(stage: Stage, seed: number) {
    this.#stage = stage;
    this.#chance = new Chance(~seed);
    this.#other = this.#chance.happens(SHARE) ? otherOrganization(stage, ~seed) : null;
    this.storeIsUnbound = this.#other !== null && this.#chance.happens(0.5);
  }

  /** Comes back every few minutes until the weather calms. */
  begin(): void {
    if (this.#other === null) return;
    const { time } = this.#stage;
    time.after(this.#chance.between(5, 30) * MINUTE, () => {
      if (this.#stage.calmed) return;
      void this.#act().finally(() => this.begin());
    });
  }

  /** An entry was stored. */
  written({ actor, chain, seq, type }: LedgerEntry): void {
    if (actor === this.#other?.caller.arn)
      this.#accuse(`${chain}: entry ${seq} (${type}) was written for another organization`);
  }

  /** Whether the stores hold anything of the other organization. */
  async check(): Promise<void> {
    const { inside, snapshots } = this.#stage.stores;
    const known = this.#other?.sandbox.accounts() ?? [];
    for (const { accountId } of known) {
      if (inside.chains.has(accountId)) this.#accuse(`${accountId} of another organization has a chain`);
      if (inside.records.has(accountId)) this.#accuse(`${accountId} of another organization has a record`);
      if (inside.factsOf(accountId) !== null) this.#accuse(`${accountId} of another organization is in the snapshot`);
    }
    const owner = (await snapshots.meta())?.organizationId ?? null;
    if (owner !== null && owner !== this.#stage.caller.organizationId)
      this.#accuse(`the snapshot is of another organization, ${owner}`);
  }

  async #act(): Promise<void> {
    const { stores, time } = this.#stage;
    // An empty store is free: its first user becomes the owner.
    if (this.#other === null || (this.storeIsUnbound && (await stores.snapshots.meta()) === null)) return;
    const act = this.#chance.of(['scan', 'worker'] as const);
    this.#processes += 1;
    const process = new Process(this.#ground(this.#other), `stranger ${act}-${this.#processes}`);
    // A process that dies never ends.
    const died = new Promise<void>((resolve) => process.stop.addEventListener('abort', () => resolve()));
    const takeBack = time.after(15 * MINUTE, () => process.die());
    const outcome = this.#work(process, act, this.#other.caller)
      .catch((error: unknown) => {
        this.#stage.note(`${process.name} ends: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(takeBack);
    await Promise.race([outcome, died]);
    await this.check();
  }

  /** Starts as every command and function does, and goes on if it is let in. */
  async #work(process: Process, act: 'scan' | 'worker', caller: Caller): Promise<void> {
    const { policy } = this.#stage;
    const deps = process.deps(policy);
    const retrying = process.retrying(DEFAULT_SETTINGS);
    await bindOrganization(deps, caller, deps.clock.now());
    if (act === 'worker') {
      const pool = new WorkerPool(await createWork(deps, DEFAULT_SETTINGS, retrying, policy), () => undefined);
      if (await pool.take()) await pool.untilFree();
      return pool.drain();
    }
    const { registers, clock } = deps;
    const run = { runId: deps.newId(), policy, planHash: null };
    const lease = { registers, clock, name: SCAN_LEASE, owner: deps.newId(), ttlMs: DEFAULT_SETTINGS.leaseMs };
    await withLease({ ...lease, onWait: () => undefined, stop: process.stop }, (lost) =>
      scan(deps, DEFAULT_SETTINGS, retrying, run, () => undefined, lost),
    );
  }

  #ground({ sandbox, caller }: { readonly sandbox: Sandbox; readonly caller: Caller }): Ground {
    const stage = this.#stage;
    return {
      ...{ time: stage.time, chance: this.#chance, weather: stage.weather, stores: stage.stores },
      ...{ sandbox, caller, newId: stage.newId },
      note: (line) => stage.note(line),
      arrived: ({ operation }, { name }) => stage.note(`${name} ${operation} in another organization`),
      acted: () => undefined,
      sent: (_, { name }) => this.#accuse(`${name} put messages on the queue`),
      received: (deliveries, { name }) => {
        if (deliveries.length > 0) this.#accuse(`${name} took messages from the queue`);
      },
      leftOff: () => undefined,
    };
  }

  #accuse(what: string): void {
    this.#stage.judge.accuse(9, what);
  }
}

function otherOrganization({ time, sandbox: ours }: Stage, seed: number) {
  const world = {
    seed,
    accounts: 5,
    drift: 0.5,
    latencyMs: 0,
    faults: [],
    pendingMs: 0,
    brokenRoles: 0,
    coolingDown: 0,
  };
  const sandbox = createSandbox(world, { clock: time });
  const { organizationId, managementAccountId } = sandbox.info();
  if (organizationId === ours.info().organizationId) throw new Error('the two organizations are the same');
  const arn = `arn:aws:iam::${managementAccountId}:role/rollcall`;
  const identity = { accountId: managementAccountId, arn, partition: 'aws', role: 'management' } as const;
  return { sandbox, caller: { ...identity, organizationId, managementAccountId } };
}
