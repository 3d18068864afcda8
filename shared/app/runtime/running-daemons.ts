import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Deps } from '../context.ts';
import { acquireLease, type Lease, leaseHolders, removeExpiredLeases } from '../coordination/lease.ts';
import { ownerText, type ProcessOwner, readOwner } from './process-owner.ts';

/**
 * The name of a lease of `serve` is this prefix and the id of the process. As for `apply`, the leases exclude nobody: they only show which daemons run.
 */
const PREFIX = 'serve/';
/** How long a daemon is shown after its process was killed, ms. Each renewal is a write, so this is longer than other leases. */
const SHOWN_MS = 120_000;

type DaemonDeps = Pick<Deps, 'registers' | 'clock' | 'actor'>;

/** A running `serve`. */
export interface RunningDaemon extends ProcessOwner {
  readonly kind: 'daemon';
  /** Until when it is shown if its process was killed. A running process extends this time. */
  readonly until: EpochMs;
}

export interface DaemonIdentity {
  /** Unique for each process. */
  readonly id: string;
  readonly startedAt: EpochMs;
}

/**
 * Runs `work`. Meanwhile, {@link runningDaemons} includes this process. If the store fails to store the lease, the work continues, and the next renewal
 * tries again.
 */
export async function asRunningDaemon<T>(
  deps: DaemonDeps,
  identity: DaemonIdentity,
  work: () => Promise<T>,
): Promise<T> {
  const announcement = new Announcement(deps, identity);
  await announcement.begin();
  const end = new AbortController();
  const renewing = announcement.renewUntil(end.signal);
  try {
    return await work();
  } finally {
    end.abort('done');
    await renewing;
    await announcement.remove();
  }
}

const ignored = (): null => null;

class Announcement {
  readonly #deps: DaemonDeps;
  readonly #name: string;
  readonly #owner: string;
  #lease: Lease | null = null;

  constructor(deps: DaemonDeps, { id, startedAt }: DaemonIdentity) {
    this.#deps = deps;
    this.#name = `${PREFIX}${id}`;
    this.#owner = ownerText({ actor: deps.actor, since: startedAt });
  }

  async begin(): Promise<void> {
    const { registers, clock } = this.#deps;
    // A lease that this version cannot read is removed, too, because it cannot show the process.
    await removeExpiredLeases(registers, clock, PREFIX, () => Number.NEGATIVE_INFINITY).catch(ignored);
    await this.#write();
  }

  async renewUntil(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      await this.#deps.clock.sleep(SHOWN_MS / 3, end);
      if (!end.aborted) await this.#write();
    }
  }

  /** If this fails, the lease expires. */
  async remove(): Promise<void> {
    await this.#lease?.release().catch(ignored);
  }

  async #write(): Promise<void> {
    const { registers, clock } = this.#deps;
    const answer = await acquireLease(registers, clock, this.#name, this.#owner, SHOWN_MS).catch(ignored);
    if (answer !== null && 'lease' in answer) this.#lease = answer.lease;
  }
}

/** The daemons that run on this store, oldest first. */
export async function runningDaemons({
  registers,
  clock,
}: Omit<DaemonDeps, 'actor'>): Promise<readonly RunningDaemon[]> {
  const found: RunningDaemon[] = [];
  for (const lease of (await leaseHolders(registers, clock, PREFIX)).values()) {
    if (lease === null) continue;
    found.push({ kind: 'daemon', ...readOwner(lease.holder), until: lease.until });
  }
  return found.sort((a, b) => a.since - b.since);
}
