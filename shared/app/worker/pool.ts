import Bottleneck from 'bottleneck';
import type { WorkMessage } from '../../domain/work.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Delivery } from '../../ports/queue.ts';
import type { OnProgress } from '../deps.ts';
import { reconcileAccount } from './account.ts';
import { reconcileBatch } from './batch.ts';
import { NOTHING, type WorkContext, type WorkResult } from './context.ts';
import { reconcileOrganization } from './organization.ts';

/** A message that comes back this often with an error that belongs to no account is given up. */
const MAX_RECEIVES = 10;
/** The pause before such a message is tried again, ms. */
const RELEASE_MS = 5_000;

/** Looks at one message, whatever its kind. A key of a superseded policy is dropped: the scan of the new one has queued its own. */
export async function processMessage(work: WorkContext, message: WorkMessage): Promise<WorkResult> {
  if (message.policyHash !== work.policy.hash) return NOTHING;
  switch (message.kind) {
    case 'account':
      return reconcileAccount(work, message);
    case 'batch':
      return reconcileBatch(work, message);
    case 'organization':
      return reconcileOrganization(work, message);
  }
}

/** The process's workers: at most `limits.concurrency` messages at once. */
export class WorkerPool {
  readonly #work: WorkContext;
  readonly #onProgress: OnProgress;
  readonly #concurrency: number;
  readonly #lanes: Bottleneck;
  readonly #running = new Set<Promise<void>>();
  #broken: unknown = null;

  constructor(work: WorkContext, onProgress: OnProgress) {
    this.#work = work;
    this.#onProgress = onProgress;
    this.#concurrency = work.policy.policy.limits.concurrency;
    this.#lanes = new Bottleneck({ maxConcurrent: this.#concurrency });
  }

  get busy(): boolean {
    return this.#running.size > 0;
  }

  /**
   * Receives as many messages as there are free lanes and starts them.
   * @returns whether any message came.
   * @throws what broke the pool: credentials refused, or the store.
   */
  async take(): Promise<boolean> {
    if (this.#broken !== null) throw this.#broken;
    const free = this.#concurrency - this.#running.size;
    if (free <= 0) return true;
    const deliveries = await this.#work.deps.queue.receive(Math.min(10, free), this.#work.settings.visibilityMs);
    for (const delivery of deliveries) this.#start(delivery);
    return deliveries.length > 0;
  }

  /** Returns as soon as a lane is free again, or everything has ended. */
  async lane(): Promise<void> {
    if (this.#running.size > 0) await Promise.race(this.#running);
  }

  /** Waits for everything that has begun. @throws what broke the pool. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#broken !== null) throw this.#broken;
  }

  #start(delivery: Delivery): void {
    const running = this.#lanes
      .schedule(() => this.#handle(delivery))
      .catch((error: unknown) => {
        this.#broken ??= error;
      })
      .finally(() => {
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async #handle(delivery: Delivery): Promise<void> {
    const { queue } = this.#work.deps;
    const stop = this.#keepInvisible(delivery);
    try {
      const result = await processMessage(this.#work, delivery.message);
      if (result.followUps.length > 0) await queue.send(result.followUps);
      if (result.dead === null) await queue.acknowledge([delivery]);
      else await queue.deadLetter(delivery, result.dead);
      for (const { accountId, outcome } of result.outcomes) this.#onProgress({ kind: 'worked', outcome, accountId });
    } catch (error) {
      await this.#handBack(delivery, error);
    } finally {
      stop();
    }
  }

  /** An error that belongs to no account: the message is tried again later, unless nothing can work at all. */
  async #handBack(delivery: Delivery, error: unknown): Promise<void> {
    const { queue, logger } = this.#work.deps;
    const isCloud = error instanceof CloudError;
    if (!isCloud || error.kind === 'Unauthenticated') {
      await queue.release(delivery, 0);
      throw error;
    }
    logger.warn('a message could not be worked on', { code: error.facts.code, message: error.message });
    if (delivery.receives < MAX_RECEIVES) return queue.release(delivery, RELEASE_MS);
    await queue.deadLetter(delivery, { code: error.facts.code, message: error.message, entryId: null });
  }

  /** Prolongs the visibility while the work lasts. */
  #keepInvisible(delivery: Delivery): () => void {
    const { deps, settings } = this.#work;
    const done = new AbortController();
    const beat = async (): Promise<void> => {
      await deps.clock.sleep(settings.visibilityMs / 2, done.signal);
      if (done.signal.aborted) return;
      await deps.queue.extend(delivery, settings.visibilityMs);
      return beat();
    };
    beat().catch((error: unknown) => {
      deps.logger.warn('the visibility of a message could not be prolonged', { message: String(error) });
    });
    return () => done.abort();
  }
}
