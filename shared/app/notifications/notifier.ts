import type { EventBus } from '../../ports/bus.ts';
import { type PublishDeps, publishUnpublished } from './outbox-publisher.ts';
import type { Alerts } from './webhook-alerts.ts';

/** Where a process announces what is in the ledger; `null`: nobody asked for it. */
export interface NotificationTargets {
  readonly bus: EventBus | null;
  readonly alerts: Alerts | null;
  /** How far the list of unpublished entries lags behind the audit log at most, ms. */
  readonly outboxLagMs: number;
}

export type AnnounceDeps = Omit<PublishDeps, 'bus'>;

/** How often each outlet is looked after, ms. */
const EVERY_MS = 5_000;

/**
 * Looks after the outlets until `stop`, each by itself: one that hangs or fails holds up neither the other nor the work. What is not
 * announced when a process ends is announced by the next one.
 */
export async function announce(deps: AnnounceDeps, outlets: NotificationTargets, stop: AbortSignal): Promise<void> {
  const { bus, alerts } = outlets;
  if (alerts !== null) await attempt(deps, 'the webhook', () => alerts.begin());
  await Promise.all([
    bus === null ? null : regularly(deps, stop, 'the event bus', () => publishFor(deps, bus)),
    alerts === null ? null : regularly(deps, stop, 'the webhook', () => alerts.step()),
  ]);
}

/**
 * Publishes and alerts once more when a process's work is over. Takes a few seconds at most, even if an outlet does not answer.
 * @returns the entries that are still not on the event bus.
 */
export async function announceLast(
  deps: AnnounceDeps,
  { bus, alerts, outboxLagMs }: NotificationTargets,
): Promise<Unpublished> {
  let left = 0;
  const publishAll = async (to: EventBus): Promise<void> => {
    await publishFor(deps, to);
    if (outboxLagMs > 0) {
      await deps.clock.sleep(outboxLagMs);
      await publishFor(deps, to);
    }
    left = (await deps.ledger.unpublished(COUNTED + 1)).length;
  };
  await Promise.all([
    bus === null ? null : attempt(deps, 'the event bus', () => publishAll(bus)),
    alerts === null ? null : attempt(deps, 'the webhook', () => alerts.step(true)),
  ]);
  return { entries: Math.min(left, COUNTED), more: left > COUNTED };
}

/** Entries that wait for the event bus. */
export interface Unpublished {
  readonly entries: number;
  /** There are more entries than `entries` says. */
  readonly more: boolean;
}

const COUNTED = 100;

/** In short runs, so that a long backlog keeps no process from ending. */
export function publishFor(deps: AnnounceDeps, bus: EventBus): Promise<unknown> {
  return publishUnpublished({ ...deps, bus }, { until: deps.clock.now() + EVERY_MS });
}

async function regularly(
  deps: AnnounceDeps,
  stop: AbortSignal,
  what: string,
  look: () => Promise<unknown>,
): Promise<void> {
  while (!stop.aborted) {
    await attempt(deps, what, look);
    await deps.clock.sleep(EVERY_MS, stop);
  }
}

/** The ledger keeps everything, so that whatever goes wrong here is told and tried again. */
async function attempt({ logger }: AnnounceDeps, what: string, look: () => Promise<unknown>): Promise<void> {
  try {
    await look();
  } catch (error) {
    logger.warn(`${what} could not be told; it is tried again`, { error });
  }
}
