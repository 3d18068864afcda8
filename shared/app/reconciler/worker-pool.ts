import { canonicalJson } from '../../domain/canonical-hash.ts';
import { ASSOCIABLE, type EnrollmentId, kindOfBatch } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Lane } from '../../domain/work-lane.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Delivery } from '../../ports/queue.ts';
import type { OnProgress } from '../context.ts';
import { deliver, OTHER_RUN_MS } from './deliver.ts';
import type { WorkContext } from './worker-context.ts';

/** The workers of one process, at most `limits.concurrency`. */
export class WorkerPool {
  readonly #work: WorkContext;
  readonly #concurrency: number;
  readonly #running = new Set<Promise<void>>();
  #broken: unknown = null;
  /** The messages that this process has put back because they belong to other runs, with the time at which they become visible, epoch ms. */
  readonly #ofOtherRuns = new Map<string, EpochMs>();

  constructor(work: WorkContext, onProgress: OnProgress) {
    this.#work = { ...work, onProgress };
    this.#concurrency = work.policy.policy.limits.concurrency;
  }

  get busy(): boolean {
    return this.#running.size > 0;
  }

  /** How many messages are invisible now because this process has put them back for other runs. */
  get ofOtherRuns(): number {
    const now = this.#work.deps.clock.now();
    for (const [message, until] of this.#ofOtherRuns) if (until <= now) this.#ofOtherRuns.delete(message);
    return this.#ofOtherRuns.size;
  }

  /**
   * Receives as many messages as there are free workers and starts on them.
   * @param lane as in `WorkQueue.receive`
   * @returns whether there were any messages, or no worker was free.
   * @throws the error that stopped the pool: refused credentials, a wrong clock, an unavailable store.
   */
  async take(lane?: Lane): Promise<boolean> {
    if (this.#broken !== null) throw this.#broken;
    const free = this.#concurrency - this.#running.size;
    if (free <= 0) return true;
    const deliveries = await this.#work.deps.queue.receive(Math.min(10, free), this.#work.settings.visibilityMs, lane);
    for (const delivery of deliveries) this.#start(delivery);
    return deliveries.length > 0;
  }

  /** Returns as soon as a worker is free, or no message is left. */
  async untilFree(): Promise<void> {
    if (this.#running.size > 0) await Promise.race(this.#running);
  }

  /** Waits for all messages in progress. @throws the error that stopped the pool. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#broken !== null) throw this.#broken;
  }

  #start(delivery: Delivery): void {
    const running = this.#handle(delivery)
      .catch((error: unknown) => {
        this.#broken ??= error;
      })
      .finally(() => {
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async #handle(delivery: Delivery): Promise<void> {
    const stop = this.#keepInvisible(delivery);
    try {
      const { end, outcomes } = await deliver(this.#work, delivery, 0);
      if (end === 'otherRun') {
        const until = this.#work.deps.clock.now() + OTHER_RUN_MS;
        this.#ofOtherRuns.set(canonicalJson(delivery.message), until);
      }
      if (end === 'done') await this.#work.deps.queue.acknowledge([delivery]);
      const enrollment = enrollmentOf(delivery.message);
      for (const { accountId, outcome } of outcomes) {
        this.#work.onProgress({ kind: 'worked', outcome, accountId, enrollment });
      }
    } finally {
      stop();
    }
  }

  /** Extends the visibility timeout while the work lasts. After a failed extension it tries again several times before the timeout. */
  #keepInvisible(delivery: Delivery): () => void {
    const { deps, settings } = this.#work;
    const done = new AbortController();
    const beat = async (pauseMs: number): Promise<void> => {
      await deps.clock.sleep(pauseMs, done.signal);
      if (done.signal.aborted) return;
      return beat(settings.visibilityMs / ((await this.#extend(delivery)) ? 2 : 10));
    };
    void beat(settings.visibilityMs / 2);
    // With a reason, because without one each abort creates an exception with its stack.
    return () => done.abort('done');
  }

  /** @returns whether the visibility timeout was extended */
  async #extend(delivery: Delivery): Promise<boolean> {
    const { deps, settings } = this.#work;
    try {
      await deps.queue.extend(delivery, settings.visibilityMs);
      return true;
    } catch (error) {
      deps.logger.warn('could not extend the visibility timeout of a message', { message: String(error) });
      return false;
    }
  }
}

/** The enrollment kind that a message is about. */
function enrollmentOf(message: WorkMessage): EnrollmentId {
  if (message.kind === 'configurations') return ASSOCIABLE;
  return message.kind === 'batch' ? kindOfBatch(message.operation) : message.enrollment;
}
