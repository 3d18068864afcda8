import { AbortError } from 'p-retry';
import type { CallGate } from '../../ports/cloud.ts';
import type { WorkQueue } from '../../ports/queue.ts';
import { OutOfTime } from './out-of-time.ts';
import type { Retrying } from './retry.ts';

/*
 * How a daemon ends in bounded time. From the moment `stop` aborts
 *   - a call that has left is waited for, and its outcome is recorded;
 *   - a call that waits for its turn is not made (`stoppableGate`): nothing is claimed for it yet;
 *   - a call that was answered and would be repeated ends with that answer (`stoppableRetrying`): its claim is closed with it;
 *   - messages are put back at once, those in work (`deliver`) and those that only now arrive (`stoppableQueue`).
 */

/** Thrown instead of making a further call: the process is told to end. */
export class Stopped extends OutOfTime {
  override readonly name = 'Stopped';
}

const stopped = (): Stopped => new Stopped('this process is told to stop');

/** Gives no leave any more once `stop` has aborted. A slot that was reserved for who stops waiting lapses. */
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

/** Makes no further attempt once `stop` has aborted: what the last one ended with is how the call ends. */
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

/** Hands out nothing once `stop` has aborted: what a long poll brings then goes back at once. */
export function stoppableQueue(queue: WorkQueue, stop: AbortSignal): WorkQueue {
  return {
    ...queue,
    async receive(max, visibilityMs) {
      if (stop.aborted) return [];
      const deliveries = await queue.receive(max, visibilityMs);
      if (!stop.aborted) return deliveries;
      await Promise.all(deliveries.map((delivery) => queue.release(delivery, 0)));
      return [];
    },
  };
}
