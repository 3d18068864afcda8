import { ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Delivery } from '../../ports/queue.ts';
import { StoreError } from '../../ports/store-error.ts';
import { ClockDifferenceError } from '../../ports/store-time.ts';
import { POLICY } from '../coordination/policy-in-force.ts';
import { Stopped } from '../support/graceful-stop.ts';
import { OutdatedPolicyError, processMessage } from './dispatch.ts';
import type { WorkContext, WorkResult } from './worker-context.ts';

/** A message that comes back this often with an error that belongs to no account is given up. */
const MAX_RECEIVES = 10;
/** The pause before such a message is tried again, ms. */
const RELEASE_MS = 5_000;

/** How long a message rests that a bound process must leave alone, ms: longer than it usually waits for its own. */
const NOT_OURS_MS = 120_000;

/** What became of a message. Only one that is `done` is still to be acknowledged. */
export interface Delivered {
  readonly fate: 'done' | 'dead' | 'released' | 'notOurs';
  readonly outcomes: WorkResult['outcomes'];
}

/**
 * Works on one delivered message and carries out its fate: further keys sent, dead-lettered with its last error, or put back for later.
 * The same in a pool and in a Lambda function; who received it acknowledges it, in their own way.
 * @param brokenPauseMs how long a message rests when nothing can work at all.
 * @throws errors that affect every message (credentials refused, wrong clock, store unavailable). The message is back on the queue then.
 */
export async function deliver(work: WorkContext, delivery: Delivery, brokenPauseMs: number): Promise<Delivered> {
  const { queue, logger } = work.deps;
  if (work.boundTo !== null && delivery.message.planHash !== work.boundTo) {
    // Someone else's work, left for them: we were told to make the changes of one plan and nothing else.
    await queue.release(delivery, NOT_OURS_MS);
    return { fate: 'notOurs', outcomes: [] };
  }
  try {
    const { followUps, dead, outcomes } = await processMessage(work, delivery.message);
    if (followUps.length > 0) await queue.send(followUps);
    if (dead === null) return { fate: 'done', outcomes };
    await queue.deadLetter(delivery, dead);
    return { fate: 'dead', outcomes };
  } catch (error) {
    if (error instanceof Stopped) {
      // Nothing is wrong with it: whoever goes on working takes it now.
      await queue.release(delivery, 0);
      return { fate: 'released', outcomes: [] };
    }
    if (await endsAllWork(work, error)) {
      await queue.release(delivery, brokenPauseMs);
      throw error;
    }
    // An error that belongs to no account, or a defect that this message brings to light: it is tried again later.
    const { code, message } = describe(error);
    logger.warn('a message could not be worked on', { code, message });
    if (delivery.receives < MAX_RECEIVES) {
      await queue.release(delivery, RELEASE_MS);
      return { fate: 'released', outcomes: [] };
    }
    await queue.deadLetter(delivery, { code, message, entryId: null });
    return { fate: 'dead', outcomes: [] };
  }
}

function describe(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof CloudError) return { code: error.details.code, message: error.message };
  return error instanceof Error
    ? { code: error.name, message: error.message }
    : { code: 'Error', message: String(error) };
}

/**
 * Whether the error affects every message: the credentials are refused, the clock is wrong, or the store does not answer. Anything else is this
 * message's own affair, and one bad message never stops a run (invariant 5).
 */
async function endsAllWork({ deps }: WorkContext, error: unknown): Promise<boolean> {
  if (error instanceof OutdatedPolicyError || error instanceof ClockDifferenceError) return true;
  if (error instanceof CloudError) return error.kind === 'Unauthenticated';
  // A full disk still answers what the probe below reads.
  if (error instanceof StoreError && error.affectsAllWork) return true;
  try {
    await Promise.all([deps.ledger.head(ORGANIZATION_CHAIN), deps.records.due(0, 1), deps.registers.read(POLICY.name)]);
    return false;
  } catch (cause) {
    deps.logger.error('the store does not answer', { message: describe(cause).message });
    return true;
  }
}
