import type { EpochMs } from '../../domain/enrollment/model.ts';
import { toIso } from '../../domain/time.ts';
import { type Deps, LEASE_MS } from '../context.ts';
import { acquireLease, holdLease, leaseHolders, removeExpiredLeases } from '../coordination/lease.ts';
import { RunStore } from '../coordination/run-store.ts';

/**
 * The names of leases of `apply` begin with this, and end with the id of the run. Each run has a lease of its own, so they exclude nobody: they only show
 * which runs are under way. The owner is the time of the start, ISO 8601, a space, and the actor.
 */
const PREFIX = 'apply/';

type RunDeps = Pick<Deps, 'registers' | 'clock' | 'actor'>;

/** A run of `apply` in another process. */
export interface RunningApply {
  readonly actor: string;
  readonly since: EpochMs;
  /** How many changes it plans; `null`: it still reads the organization. */
  readonly planned: number | null;
}

/** Runs `work`, during which {@link runningApplies} of other processes shows the run. */
export async function asRunningApply<T>(deps: RunDeps, runId: string, work: () => Promise<T>): Promise<T> {
  const { registers, clock, actor } = deps;
  const name = `${PREFIX}${runId}`;
  await removeExpiredLeases(registers, clock, PREFIX);
  const answer = await acquireLease(registers, clock, name, `${toIso(clock.now())} ${actor}`, LEASE_MS);
  return 'lease' in answer ? holdLease(clock, { lease: answer.lease, name, ttlMs: LEASE_MS }, work) : work();
}

/** The runs of `apply` that are under way on this store, oldest first. A killed process is shown until its lease expires. */
export async function runningApplies({ registers, clock }: Omit<RunDeps, 'actor'>): Promise<readonly RunningApply[]> {
  const runs = new RunStore(registers);
  const found: RunningApply[] = [];
  for (const [runId, { holder }] of await leaseHolders(registers, clock, PREFIX)) {
    const [since = '', ...actor] = holder.split(' ');
    const planned = (await runs.get(runId))?.planned ?? null;
    found.push({ actor: actor.join(' '), since: Date.parse(since), planned });
  }
  return found.sort((a, b) => a.since - b.since);
}
