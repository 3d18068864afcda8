import { CloudError } from '../../ports/cloud.ts';
import type { Delivery } from '../../ports/queue.ts';
import type { WorkContext, WorkResult } from './context.ts';
import { processMessage } from './process.ts';

/** A message that comes back this often with an error that belongs to no account is given up. */
const MAX_RECEIVES = 10;
/** The pause before such a message is tried again, ms. */
const RELEASE_MS = 5_000;

/** What became of a message. Only one that is `done` is still to be acknowledged. */
export interface Delivered {
  readonly fate: 'done' | 'dead' | 'released';
  readonly outcomes: WorkResult['outcomes'];
}

/**
 * Works on one delivered message and carries out its fate: further keys sent, dead-lettered with its last error, or put back for later.
 * The same in a pool and in a Lambda function; who received it acknowledges it, in their own way.
 * @param brokenPauseMs how long a message rests when nothing can work at all.
 * @throws what makes work impossible for every message: credentials refused, or the store. The message is back on the queue.
 */
export async function deliver(work: WorkContext, delivery: Delivery, brokenPauseMs: number): Promise<Delivered> {
  const { queue, logger } = work.deps;
  try {
    const { followUps, dead, outcomes } = await processMessage(work, delivery.message);
    if (followUps.length > 0) await queue.send(followUps);
    if (dead === null) return { fate: 'done', outcomes };
    await queue.deadLetter(delivery, dead);
    return { fate: 'dead', outcomes };
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') {
      await queue.release(delivery, brokenPauseMs);
      throw error;
    }
    // An error that belongs to no account: the message is tried again later.
    logger.warn('a message could not be worked on', { code: error.facts.code, message: error.message });
    if (delivery.receives < MAX_RECEIVES) {
      await queue.release(delivery, RELEASE_MS);
      return { fate: 'released', outcomes: [] };
    }
    await queue.deadLetter(delivery, { code: error.facts.code, message: error.message, entryId: null });
    return { fate: 'dead', outcomes: [] };
  }
}
