import type { EpochMs } from '../../domain/enrollment/model.ts';
import { ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Delivery } from '../../ports/queue.ts';
import { StoreError } from '../../ports/store-error.ts';
import { ClockDifferenceError } from '../../ports/store-time.ts';
import { OutdatedPolicyError } from '../coordination/outdated-policy-error.ts';
import { POLICY, policyInForce, requireInForce } from '../coordination/policy-in-force.ts';
import { NO_OWN_CONFIGURATIONS, ownConfigurations } from '../guardrails/own-configurations.ts';
import { holdsOf, readGate } from '../guardrails/rollout-gate.ts';
import { Stopped } from '../support/graceful-stop.ts';
import { managesConfigurations } from '../survey/assessment-table.ts';
import { reconcileBatch } from './bulk/reconcile-batch.ts';
import { reconcileConfigurations } from './bulk/reconcile-configurations.ts';
import { reconcileOrganization } from './bulk/reconcile-organization.ts';
import { waitForWindow } from './delayed-calls.ts';
import { spanOf } from './message-span.ts';
import { reconcileAccount } from './reconcile-account.ts';
import { type MessageContext, NO_RESULT, type WorkContext, type WorkResult } from './worker-context.ts';

/** After this many receives, the worker moves a message whose error belongs to no account to the dead letters. */
const MAX_RECEIVES_AFTER_ERROR = 10;
/** The pause before such a message is retried, ms. */
const RELEASE_MS = 5_000;

/**
 * How long a message of another run stays invisible to a plan-bound process, ms: longer than such a process usually waits for the messages of its own
 * run.
 */
export const OTHER_RUN_MS = 120_000;

/**
 * How long a message of the policy in force stays invisible after a process with another policy has put it back, ms. That process is outdated or about to
 * scan, so another process handles the message.
 */
const OTHER_POLICY_MS = 60_000;

/** The end of a delivery. Only a `done` message still has to be acknowledged. `otherRun`, `otherPolicy`: put back for another process. */
export interface Delivered {
  readonly end: 'done' | 'dead' | 'released' | 'otherRun' | 'otherPolicy';
  readonly outcomes: WorkResult['outcomes'];
}

/**
 * Processes one delivered message: enqueues the keys that follow from it, moves it to the dead letters with its last error, or returns it to
 * the queue for later. Pool and Lambda function share this and acknowledge the message each in its own way.
 * @param brokenPauseMs how long the message stays invisible after an error that affects every message.
 * @throws errors that affect every message (credentials refused, wrong clock, store unavailable), once the message is back on the queue.
 */
export async function deliver(work: WorkContext, delivery: Delivery, brokenPauseMs: number): Promise<Delivered> {
  const { boundTo, deps } = work;
  if (boundTo !== null && delivery.message.planHash !== boundTo) {
    // This process makes the changes of one plan and no others.
    await deps.queue.putBack(delivery, OTHER_RUN_MS);
    return { end: 'otherRun', outcomes: [] };
  }
  try {
    return await attempt(work, delivery);
  } catch (error) {
    return afterError(work, delivery, error, brokenPauseMs);
  }
}

/** Processes the message if its policy is this process's and its change window is open. */
async function attempt(work: WorkContext, delivery: Delivery): Promise<Delivered> {
  const { queue, registers, tracer } = work.deps;
  const { message } = delivery;
  if (message.policyHash !== work.policy.hash && (await policyInForce(registers)) === message.policyHash) {
    await queue.putBack(delivery, OTHER_POLICY_MS);
    return { end: 'otherPolicy', outcomes: [] };
  }
  const closedMs = await waitForWindow(work, message);
  if (closedMs !== null) {
    await queue.release(delivery, closedMs);
    return { end: 'released', outcomes: [] };
  }
  const { followUps, dead, outcomes } = await tracer.within(spanOf(delivery), () =>
    processMessage(work, message, delivery.lane === 'bulk' ? delivery.sentAt : null),
  );
  if (followUps.length > 0) await queue.send(followUps, { lane: delivery.lane });
  if (dead !== null) {
    await queue.deadLetter(delivery, dead);
    return { end: 'dead', outcomes };
  }
  // The window may have closed while the message was processed, so that a call was not made.
  const waitMs = await waitForWindow(work, message);
  if (waitMs === null) return { end: 'done', outcomes };
  await queue.release(delivery, waitMs);
  return { end: 'released', outcomes };
}

/** Returns the message to the queue, or moves it to the dead letters. @throws the error, if it affects every message */
async function afterError(
  work: WorkContext,
  delivery: Delivery,
  error: unknown,
  brokenPauseMs: number,
): Promise<Delivered> {
  const { queue, logger } = work.deps;
  if (error instanceof Stopped) {
    // Nothing is wrong with the message: another process can take it immediately.
    await queue.release(delivery, 0);
    return { end: 'released', outcomes: [] };
  }
  if (error instanceof OutdatedPolicyError) {
    // A scan of this process may put its policy in force soon. The key is then still needed, because it may come from an event.
    await queue.putBack(delivery, Math.min(brokenPauseMs, OTHER_POLICY_MS));
    throw error;
  }
  if (await affectsAllWork(work, error)) {
    await queue.release(delivery, brokenPauseMs);
    throw error;
  }
  // The error belongs to no account, or this message triggers a defect.
  const reason = describe(error);
  logger.warn('could not process a message', reason);
  if (delivery.receives < MAX_RECEIVES_AFTER_ERROR) {
    await queue.release(delivery, RELEASE_MS);
    return { end: 'released', outcomes: [] };
  }
  await queue.deadLetter(delivery, { ...reason, entryId: null });
  return { end: 'dead', outcomes: [] };
}

/**
 * Reconciles the accounts of one message. A key of a superseded policy is dropped, because the scan of the new policy enqueues its own keys.
 * @param listingsSince see {@link MessageContext}
 * @throws OutdatedPolicyError if the message belongs to this process's policy and that policy is not in force
 */
export async function processMessage(
  shared: WorkContext,
  message: WorkMessage,
  listingsSince: EpochMs | null = null,
): Promise<WorkResult> {
  if (message.policyHash !== shared.policy.hash) return NO_RESULT;
  await requireInForce(shared.deps.registers, shared.policy.hash);
  const gate = await readGate(shared.deps.registers, shared.policy);
  const { registers, clock } = shared.deps;
  const manages = managesConfigurations(shared.policy);
  const work: MessageContext = {
    ...shared,
    holds: holdsOf(gate, shared.policy),
    ownConfigurations: manages ? await ownConfigurations(registers, clock.now()) : NO_OWN_CONFIGURATIONS,
    listingsSince,
  };
  switch (message.kind) {
    case 'account':
      return reconcileAccount(work, message);
    case 'batch':
      return reconcileBatch(work, message);
    case 'configurations':
      return reconcileConfigurations(work, message);
    case 'organization':
      return reconcileOrganization(work, message);
  }
}

function describe(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof CloudError) return { code: error.details.code, message: error.message };
  return error instanceof Error
    ? { code: error.name, message: error.message }
    : { code: 'Error', message: String(error) };
}

/**
 * Whether the error affects every message: refused credentials, a wrong clock, a store that does not answer. Any other error concerns this
 * message alone, and one bad message never stops a run (invariant 5).
 */
async function affectsAllWork({ deps }: WorkContext, error: unknown): Promise<boolean> {
  if (error instanceof ClockDifferenceError) return true;
  if (error instanceof CloudError) return error.kind === 'Unauthenticated';
  // With a full disk, the reads below still succeed.
  if (error instanceof StoreError && error.affectsAllWork) return true;
  try {
    await Promise.all([deps.ledger.head(ORGANIZATION_CHAIN), deps.records.due(0, 1), deps.registers.read(POLICY.name)]);
    return false;
  } catch (cause) {
    deps.logger.error('the store does not answer', { message: describe(cause).message });
    return true;
  }
}
