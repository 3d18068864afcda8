import * as z from 'zod';
import type { Registers } from '../../ports/registers.ts';
import type { Clock } from '../../ports/system.ts';
import { LEASE_MS } from '../context.ts';
import { documentFamily, REGISTERS } from './documents.ts';
import { readTyped, writeTyped } from './typed-register.ts';

export const LEASES = documentFamily(REGISTERS.lease, z.object({ owner: z.string(), expiresAt: z.number() }));

export interface Lease {
  /** Extends the lease. False: the lease was lost because it expired, so the work that it protects must stop. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * Takes the lease `name` for `ttlMs` if it is free, has expired or is already `owner`'s.
 * @returns the lease, or its present holder and expiry (epoch ms).
 */
export async function acquireLease(
  registers: Registers,
  clock: Clock,
  name: string,
  owner: string,
  ttlMs: number,
): Promise<{ readonly lease: Lease } | { readonly holder: string; readonly until: number }> {
  const document = LEASES.named(name);
  const current = await readTyped(registers, document);
  if (current !== null && current.value.owner !== owner && current.value.expiresAt > clock.now()) {
    return { holder: current.value.owner, until: current.value.expiresAt };
  }
  const value = { owner, expiresAt: clock.now() + ttlMs };
  let version = await writeTyped(registers, document, value, current?.version ?? null);
  if (version === null) return { holder: 'another process', until: clock.now() + ttlMs };
  return {
    lease: {
      async renew() {
        if (version === null) return false;
        version = await writeTyped(registers, document, { owner, expiresAt: clock.now() + ttlMs }, version);
        return version !== null;
      },
      async release() {
        if (version !== null) await registers.remove(document.name, version);
        version = null;
      },
    },
  };
}

/** The holder of a lease, and when the lease expires unless it is renewed (epoch ms). */
export interface LeaseHolder {
  readonly holder: string;
  readonly until: number;
}

/** The present holder of the lease `name`; `null`: the lease is free or has expired. */
export async function leaseHolder(
  registers: Registers,
  clock: Pick<Clock, 'now'>,
  name: string,
): Promise<LeaseHolder | null> {
  const current = await readTyped(registers, LEASES.named(name));
  if (current === null || current.value.expiresAt <= clock.now()) return null;
  return { holder: current.value.owner, until: current.value.expiresAt };
}

/** The holders of unexpired leases whose names begin with `prefix`, by the rest of the name; `null`: the lease cannot be read. */
export async function leaseHolders(
  registers: Registers,
  clock: Pick<Clock, 'now'>,
  prefix: string,
): Promise<ReadonlyMap<string, LeaseHolder | null>> {
  const held = new Map<string, LeaseHolder | null>();
  const { name: start } = LEASES.named(prefix);
  for (const { name, value } of await registers.list(start)) {
    const lease = LEASES.schema.safeParse(value).data ?? null;
    const holder = lease === null ? null : { holder: lease.owner, until: lease.expiresAt };
    if (holder === null || holder.until > clock.now()) held.set(name.slice(start.length), holder);
  }
  return held;
}

/**
 * Removes expired leases whose names begin with `prefix`. A process that was killed leaves such a lease behind.
 * @param unreadableUntil takes the rest of a lease's name, and returns until when to keep the lease if it cannot be read, epoch ms
 */
export async function removeExpiredLeases(
  registers: Registers,
  clock: Pick<Clock, 'now'>,
  prefix: string,
  unreadableUntil: (rest: string) => number,
): Promise<void> {
  const { name: start } = LEASES.named(prefix);
  for (const { name, value, version } of await registers.list(start)) {
    const { data } = LEASES.schema.safeParse(value);
    const until = data?.expiresAt ?? unreadableUntil(name.slice(start.length));
    if (until <= clock.now()) await registers.remove(name, version);
  }
}

export interface LeaseOptions {
  readonly registers: Registers;
  readonly clock: Clock;
  readonly name: string;
  readonly owner: string;
  /** Default {@link LEASE_MS}. */
  readonly ttlMs?: number;
  /** Called while another process holds the lease. Throw from it to stop waiting. */
  readonly onWait: (holder: string, until: number) => void;
  /** Aborting this signal ends the current pause, so that `onWait` is called immediately and can stop the wait. */
  readonly stop?: AbortSignal;
  readonly onUnreleased?: HeldLease['onUnreleased'];
}

/** Waits for the lease, then runs `work` as {@link holdLease} does. */
export async function withLease<T>(options: LeaseOptions, work: (lost: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, name, ttlMs = LEASE_MS, onUnreleased } = options;
  const lease = await waitForLease({ ...options, ttlMs });
  return holdLease(clock, { lease, name, ttlMs, onUnreleased }, work);
}

export interface HeldLease {
  readonly lease: Lease;
  readonly name: string;
  readonly ttlMs: number;
  /** Called instead of throwing if the lease cannot be released: it expires by itself, and the result of the work must not be lost. Default: the error is thrown. */
  readonly onUnreleased?: ((error: unknown) => void) | undefined;
}

/** Runs `work` while it renews the lease, and releases it afterwards. The signal for `work` aborts if the lease is lost. */
export async function holdLease<T>(
  clock: Clock,
  { lease, name, ttlMs, onUnreleased }: HeldLease,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const done = new AbortController();
  const renewing = (async () => {
    while (!done.signal.aborted) {
      await clock.sleep(ttlMs / 3, done.signal);
      if (!done.signal.aborted && !(await lease.renew())) {
        lost.abort(new Error(`the lease ${name} was lost to another process`));
        return;
      }
    }
  })().catch((cause: unknown) => {
    // A lease that cannot be renewed counts as lost. Without this handler, the rejection would end the process.
    lost.abort(new Error(`the lease ${name} could not be renewed`, { cause }));
  });
  try {
    return await work(lost.signal);
  } finally {
    // The reason avoids the cost of a default one, an exception with its stack.
    done.abort('done');
    await renewing;
    await lease.release().catch((error: unknown) => {
      if (onUnreleased === undefined) throw error;
      onUnreleased(error);
    });
  }
}

async function waitForLease(options: LeaseOptions & { readonly ttlMs: number }): Promise<Lease> {
  const { registers, clock, name, owner, ttlMs, onWait, stop } = options;
  for (;;) {
    const answer = await acquireLease(registers, clock, name, owner, ttlMs);
    if ('lease' in answer) return answer.lease;
    onWait(answer.holder, answer.until);
    const pause = Math.min(1_000, Math.max(50, answer.until - clock.now()));
    // Only `onWait` ends the wait, by throwing. An aborted signal would end every further pause immediately.
    await clock.sleep(pause, stop?.aborted === true ? undefined : stop);
  }
}
