import type { EpochMs } from '../../domain/enrollment/model.ts';
import { toIso } from '../../domain/time.ts';
import { type Deps, LEASE_MS } from '../context.ts';
import { acquireLease, holdLease, leaseHolders, removeExpiredLeases } from '../coordination/lease.ts';
import { RunStore } from '../coordination/run-store.ts';

/**
 * The name of a lease of `apply` is this prefix and the id of the run. Each run has a lease of its own, so the leases exclude no run. They only show which
 * runs are in progress. The owner is the start time (ISO 8601), a space, and the actor.
 */
const PREFIX = 'apply/';

type RunDeps = Pick<Deps, 'registers' | 'clock' | 'actor'>;

/** A run of `apply` in another process. */
export interface RunningApply {
  readonly actor: string;
  readonly since: EpochMs;
  /** The number of changes in its plan; `null`: it is still reading the organization. */
  readonly planned: number | null;
}

/** Runs `work`. Meanwhile, {@link runningApplies} in other processes includes the run. */
export async function asRunningApply<T>(deps: RunDeps, runId: string, work: () => Promise<T>): Promise<T> {
  const { registers, clock, actor } = deps;
  const name = `${PREFIX}${runId}`;
  await removeExpiredLeases(registers, clock, PREFIX);
  const answer = await acquireLease(registers, clock, name, `${toIso(clock.now())} ${actor}`, LEASE_MS);
  return 'lease' in answer ? holdLease(clock, { lease: answer.lease, name, ttlMs: LEASE_MS }, work) : work();
}

/** The runs of `apply` that are in progress on this store, oldest first. The run of a killed process is included until its lease expires. */
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
