import * as z from 'zod';
import type { Registers } from '../ports/registers.ts';
import type { Clock } from '../ports/system.ts';
import { readTyped } from './registers.ts';

const leaseSchema = z.object({ owner: z.string(), expiresAt: z.number() });

export interface Lease {
  /** Prolongs it. False: it was lost meanwhile (we were too slow) and whatever it protected must stop. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * Takes the lease `name` for `ttlMs` if it is free, has expired or is already `owner`'s.
 * @returns the lease, or who holds it and until when (epoch ms).
 */
export async function acquireLease(
  registers: Registers,
  clock: Clock,
  name: string,
  owner: string,
  ttlMs: number,
): Promise<{ readonly lease: Lease } | { readonly holder: string; readonly until: number }> {
  const key = `lease/${name}`;
  const current = await readTyped(registers, key, leaseSchema);
  if (current !== null && current.value.owner !== owner && current.value.expiresAt > clock.now()) {
    return { holder: current.value.owner, until: current.value.expiresAt };
  }
  const value = { owner, expiresAt: clock.now() + ttlMs };
  let version = await registers.write(key, value, current?.version ?? null);
  if (version === null) return { holder: 'another process', until: clock.now() + ttlMs };
  return {
    lease: {
      async renew() {
        if (version === null) return false;
        version = await registers.write(key, { owner, expiresAt: clock.now() + ttlMs }, version);
        return version !== null;
      },
      async release() {
        if (version !== null) await registers.remove(key, version);
        version = null;
      },
    },
  };
}

const LEASE_MS = 60_000;

/**
 * Runs `work` while holding the lease, waiting for it first and renewing it as long as the work lasts.
 * `work` gets a signal that aborts when the lease was lost. When `stop` aborts, the present pause ends, so that what `onWait` then throws ends the waiting at once.
 */
export async function withLease<T>(
  registers: Registers,
  clock: Clock,
  name: string,
  owner: string,
  onWait: (holder: string, until: number) => void,
  work: (lost: AbortSignal) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  const lease = await waitForLease(registers, clock, name, owner, onWait, stop);
  const lost = new AbortController();
  const done = new AbortController();
  const renewing = (async () => {
    while (!done.signal.aborted) {
      await clock.sleep(LEASE_MS / 3, done.signal);
      if (!done.signal.aborted && !(await lease.renew())) {
        lost.abort(new Error(`the lease ${name} was lost to another process`));
        return;
      }
    }
  })().catch((cause: unknown) => {
    // Not prolonged is as good as lost: `work` hears of it, instead of a rejection that nobody awaits yet ending the process.
    lost.abort(new Error(`the lease ${name} could not be prolonged`, { cause }));
  });
  try {
    return await work(lost.signal);
  } finally {
    // A reason: without one an exception is made for it each time, stack and all.
    done.abort('done');
    await renewing;
    await lease.release();
  }
}

async function waitForLease(
  registers: Registers,
  clock: Clock,
  name: string,
  owner: string,
  onWait: (holder: string, until: number) => void,
  stop: AbortSignal | undefined,
): Promise<Lease> {
  for (;;) {
    const answer = await acquireLease(registers, clock, name, owner, LEASE_MS);
    if ('lease' in answer) return answer.lease;
    onWait(answer.holder, answer.until);
    const pause = Math.min(1_000, Math.max(50, answer.until - clock.now()));
    // Once it has aborted, it would end every further pause as well: one who does not leave then waits as before.
    await clock.sleep(pause, stop?.aborted === true ? undefined : stop);
  }
}
