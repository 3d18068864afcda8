import { createSandbox, type Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import { withLease } from '../../shared/app/coordination/lease.ts';
import { bindOrganization } from '../../shared/app/coordination/organization-binding.ts';
import { createWork } from '../../shared/app/reconciler/worker-context.ts';
import { WorkerPool } from '../../shared/app/reconciler/worker-pool.ts';
import { scan } from '../../shared/app/scan/scan.ts';
import { SCAN_LEASE } from '../../shared/app/schedule/scan-schedule.ts';
import type { Caller } from '../../shared/domain/enrollment/model.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { OtherOrganizationError } from '../../shared/ports/binding.ts';
import type { Environment, Simulation } from './environment.ts';
import { Process } from './process.ts';
import { SeededRandom } from './seeded-random.ts';

const MINUTE = 60_000;
/** The share of histories in which an operator uses credentials of another organization. */
const SHARE = 0.25;

/**
 * Operators who run commands against these stores with credentials of another organization, such as a wrong profile. Invariant 9: the store
 * refuses them, and nothing of the other organization is written. They use a separate random stream.
 */
export class ForeignOperators {
  /** An older version wrote this store: only the stored snapshot shows its owner. */
  readonly storeIsUnbound: boolean;
  readonly #simulation: Simulation;
  readonly #chance: SeededRandom;
  /** The other organization; `null` if this history has none. */
  readonly #other: { readonly sandbox: Sandbox; readonly caller: Caller } | null;
  #processes = 0;

  constructor(simulation: Simulation, seed: number) {
    this.#simulation = simulation;
    this.#chance = new SeededRandom(~seed);
    this.#other = this.#chance.happens(SHARE) ? otherOrganization(simulation, ~seed) : null;
    this.storeIsUnbound = this.#other !== null && this.#chance.happens(0.5);
  }

  /** Repeats every few minutes until the calm phase. */
  begin(): void {
    if (this.#other === null) return;
    const { time } = this.#simulation;
    time.after(this.#chance.between(5, 30) * MINUTE, () => {
      if (this.#simulation.calmed) return;
      void this.#act().finally(() => this.begin());
    });
  }

  /** An entry was stored. */
  written({ actor, chain, seq, type }: LedgerEntry): void {
    if (actor === this.#other?.caller.arn)
      this.#report(`${chain}: entry ${seq} (${type}) was written for another organization`);
  }

  /** Reports any data of the other organization in the stores. */
  async check(): Promise<void> {
    const { inside, snapshots } = this.#simulation.stores;
    const known = this.#other?.sandbox.accounts() ?? [];
    for (const { accountId } of known) {
      if (inside.chains.has(accountId)) this.#report(`${accountId} of another organization has a chain`);
      if (inside.records.has(accountId)) this.#report(`${accountId} of another organization has a record`);
      if (inside.accountOf(accountId) !== null) this.#report(`${accountId} of another organization is in the snapshot`);
    }
    const owner = (await snapshots.meta())?.organizationId ?? null;
    if (owner !== null && owner !== this.#simulation.caller.organizationId)
      this.#report(`the snapshot is of another organization, ${owner}`);
  }

  async #act(): Promise<void> {
    const { stores, time } = this.#simulation;
    // The first user of an empty store becomes its owner.
    if (this.#other === null || (this.storeIsUnbound && (await stores.snapshots.meta()) === null)) return;
    const act = this.#chance.of(['scan', 'worker'] as const);
    this.#processes += 1;
    const process = new Process(this.#environment(this.#other), `foreign ${act}-${this.#processes}`);
    // The work of a killed process never settles.
    const died = new Promise<void>((resolve) => process.stop.addEventListener('abort', () => resolve()));
    const cancel = time.after(15 * MINUTE, () => process.die());
    const outcome = this.#work(process, act, this.#other.caller)
      .catch((error: unknown) => {
        if (error instanceof OtherOrganizationError) this.#simulation.reached('credentials of another organization');
        this.#simulation.note(`${process.name} ends: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(cancel);
    await Promise.race([outcome, died]);
    await this.check();
  }

  /** Starts like every command and function, and continues if the store accepts it. */
  async #work(process: Process, act: 'scan' | 'worker', caller: Caller): Promise<void> {
    const { policy } = this.#simulation;
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

  #environment({ sandbox, caller }: { readonly sandbox: Sandbox; readonly caller: Caller }): Environment {
    const simulation = this.#simulation;
    return {
      ...{
        time: simulation.time,
        chance: this.#chance,
        faultProfile: simulation.faultProfile,
        stores: simulation.stores,
      },
      ...{ sandbox, caller, newId: simulation.newId },
      note: (line) => simulation.note(line),
      arrived: ({ operation }, { name }) => simulation.note(`${name} ${operation} in another organization`),
      acted: () => undefined,
      answered: () => undefined,
      sent: (_, { name }) => this.#report(`${name} put messages on the queue`),
      received: (deliveries, { name }) => {
        if (deliveries.length > 0) this.#report(`${name} took messages from the queue`);
      },
      finished: () => undefined,
    };
  }

  #report(what: string): void {
    this.#simulation.checker.report(9, what);
  }
}

function otherOrganization({ time, sandbox: ours }: Simulation, seed: number) {
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
