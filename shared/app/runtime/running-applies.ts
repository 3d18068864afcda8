import type { EpochMs } from '../../domain/enrollment/model.ts';
import { ulidTime } from '../../domain/ulid-time.ts';
import { type Deps, LEASE_MS } from '../context.ts';
import {
  acquireLease,
  holdLease,
  LEASES,
  type Lease,
  leaseHolders,
  removeExpiredLeases,
} from '../coordination/lease.ts';
import { RunStore } from '../coordination/run-store.ts';
import { ownerText, type ProcessOwner, readOwner } from './process-owner.ts';

/**
 * The name of a lease of `apply` is this prefix and the id of the run. Each run has a lease of its own, so the leases exclude no run. They only show which
 * runs are in progress.
 */
const PREFIX = 'apply/';

type RunDeps = Pick<Deps, 'registers' | 'clock' | 'actor'>;

/** A run of `apply` in another process. */
export interface RunningApply extends ProcessOwner {
  /** The number of changes in its plan; `null`: it is still reading the organization. */
  readonly planned: number | null;
  /** Until when the run is shown if its process was killed. A running process extends this time. */
  readonly until: EpochMs;
}

/** The register about a run that may be in progress, if its content is damaged or from a newer version. */
export interface UnreadableApply {
  readonly unreadable: string;
  /** The first `apply` after this time removes the register, epoch ms; `null`: it names no run, so the next `apply` removes it. */
  readonly until: EpochMs | null;
}

/**
 * How long after the start of its run a register that cannot be read is kept, ms. A newer version may be using it, but an apply rarely takes longer. A
 * run whose register is removed continues, but other processes no longer show it.
 */
const UNREADABLE_MS = 24 * 60 * 60 * 1000;

function unreadableUntil(runId: string): EpochMs | null {
  const startedAt = ulidTime(runId);
  return startedAt === null ? null : startedAt + UNREADABLE_MS;
}

export interface Announced<T> {
  readonly result: T;
  /** Why other processes may not have seen the run, or may still see it; `null`: no such problem. */
  readonly warning: string | null;
}

/** Runs `work`. Meanwhile, {@link runningApplies} in other processes includes the run. An error of the store about that does not affect the work. */
export async function asRunningApply<T>(deps: RunDeps, runId: string, work: () => Promise<T>): Promise<Announced<T>> {
  let warning: string | null = null;
  const name = `${PREFIX}${runId}`;
  const lease = await announce(deps, name).catch((error: unknown) => {
    warning = `Other processes could not see that this run was in progress: ${messageOf(error)}`;
    return null;
  });
  if (lease === null) return { result: await work(), warning };
  const onUnreleased = (error: unknown): void => {
    warning = `Other processes may show this run as in progress for another ${LEASE_MS / 1_000} seconds: ${messageOf(error)}`;
  };
  const result = await holdLease(deps.clock, { lease, name, ttlMs: LEASE_MS, onUnreleased }, work);
  return { result, warning };
}

async function announce({ registers, clock, actor }: RunDeps, name: string): Promise<Lease | null> {
  await removeExpiredLeases(registers, clock, PREFIX, (runId) => unreadableUntil(runId) ?? Number.NEGATIVE_INFINITY);
  const answer = await acquireLease(registers, clock, name, ownerText({ actor, since: clock.now() }), LEASE_MS);
  return 'lease' in answer ? answer.lease : null;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The runs of `apply` that are in progress on this store, oldest first. The run of a killed process is included until its lease expires. */
export async function runningApplies({
  registers,
  clock,
}: Omit<RunDeps, 'actor'>): Promise<readonly (RunningApply | UnreadableApply)[]> {
  const runs = new RunStore(registers);
  const found: RunningApply[] = [];
  const unreadable: UnreadableApply[] = [];
  for (const [runId, lease] of await leaseHolders(registers, clock, PREFIX)) {
    if (lease === null) {
      unreadable.push({ unreadable: LEASES.named(`${PREFIX}${runId}`).name, until: unreadableUntil(runId) });
      continue;
    }
    const planned = (await runs.get(runId))?.planned ?? null;
    found.push({ ...readOwner(lease.holder), planned, until: lease.until });
  }
  return [...found.sort((a, b) => a.since - b.since), ...unreadable];
}
