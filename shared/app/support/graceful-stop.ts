import { AbortError } from 'p-retry';
import type { CallGate } from '../../ports/cloud.ts';
import type { WorkQueue } from '../../ports/queue.ts';
import { OutOfTime } from './out-of-time.ts';
import type { Retrying } from './retry.ts';

/*
 * Stops a daemon in bounded time. After `stop` aborts
 *   - a call already sent is awaited, and its outcome is recorded;
 *   - a call waiting for the rate limiter is not sent (`stoppableGate`): nothing is claimed for it yet;
 *   - a call that would be retried ends with its last error (`stoppableRetrying`), which closes its claim;
 *   - messages return to the queue immediately, those in progress (`deliver`) and those just received (`stoppableQueue`).
 */

/** Thrown instead of making another call, because the process is stopping. */
export class Stopped extends OutOfTime {
  override readonly name = 'Stopped';
}

const stopped = (): Stopped => new Stopped('this process is stopping');

/** Rejects `acquire` once `stop` has aborted. A slot already reserved for a caller that no longer waits expires. */
export function stoppableGate<Gate extends CallGate>(gate: Gate, stop: AbortSignal): Gate {
  return {
    ...gate,
    acquire: (key) =>
      new Promise((resolve, reject) => {
        const end = (): void => reject(stopped());
        if (stop.aborted) return end();
        stop.addEventListener('abort', end, { once: true });
        gate
          .acquire(key)
          .then(resolve, reject)
          .finally(() => stop.removeEventListener('abort', end));
      }),
  };
}

/** Makes no further attempt once `stop` has aborted: the call ends with the error of its last attempt. */
export function stoppableRetrying(retrying: Retrying, stop: AbortSignal): Retrying {
  return (call) => {
    let last: Error | null = null;
    return retrying(async () => {
      if (stop.aborted) throw last === null ? stopped() : new AbortError(last);
      try {
        return await call();
      } catch (error) {
        if (error instanceof Stopped && last !== null) throw new AbortError(last);
        if (error instanceof Error) last = error;
        throw error;
      }
    });
  };
}

/** Returns no messages once `stop` has aborted. Messages from a pending long poll are released immediately. */
export function stoppableQueue(queue: WorkQueue, stop: AbortSignal): WorkQueue {
  return {
    ...queue,
    async receive(max, visibilityMs, lane) {
      if (stop.aborted) return [];
      const deliveries = await queue.receive(max, visibilityMs, lane);
      if (!stop.aborted) return deliveries;
      await Promise.all(deliveries.map((delivery) => queue.release(delivery, 0)));
      return [];
    },
  };
}
