import type { EventBus, Refusal } from '../../ports/bus.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Logger } from '../../ports/system.ts';
import { BUSY, type OneAtATimeDeps, oneAtATime } from '../coordination/single-flight.ts';
import { noteRefusal } from './outbox-state.ts';

export interface PublishDeps extends OneAtATimeDeps {
  readonly ledger: Pick<Ledger, 'unpublished' | 'markPublished'>;
  readonly bus: EventBus;
  readonly logger: Logger;
}

export interface PublishOptions {
  /** Begin no further page after this time, epoch ms, because a Lambda has a time limit (default: no limit). */
  readonly until?: number;
  /** Number of entries that are published and then marked together (default 200). */
  readonly pageSize?: number;
}

export interface Published {
  readonly published: number;
  /** Number of entries that the bus refused. They stay unmarked and are retried next time. */
  readonly refused: number;
}

const NOTHING: Published = { published: 0, refused: 0 };

const PAGE = 200;
/** After this many consecutive pages without an accepted entry, the bus counts as down. */
const FRUITLESS_PAGES = 5;

/**
 * Publishes the entries that are not marked as published (the outbox), and marks those that the bus accepted. One process
 * publishes at a time. After a crash before marking, entries are published again; subscribers recognize them by their id.
 */
export async function publishUnpublished(deps: PublishDeps, options: PublishOptions = {}): Promise<Published> {
  // Usually there is nothing to publish, and this check needs no lease.
  if ((await deps.ledger.unpublished(1)).length === 0) return NOTHING;
  const result = await oneAtATime(deps, 'publish', (lost) => emptyOutbox(deps, options, lost));
  return result === BUSY ? NOTHING : result;
}

async function emptyOutbox(deps: PublishDeps, options: PublishOptions, lost: AbortSignal): Promise<Published> {
  const { ledger, bus, clock, logger, registers } = deps;
  const { until = Number.POSITIVE_INFINITY, pageSize = PAGE } = options;
  const refused = new Map<string, Refusal>();
  /** Ids of entries published in this round. The list of unpublished entries may lag and return them again. */
  const done = new Set<string>();
  for (let fruitless = 0; fruitless < FRUITLESS_PAGES; ) {
    const page = await ledger.unpublished(pageSize + refused.size);
    const open = page.filter(({ id }) => !refused.has(id) && !done.has(id));
    if (open.length === 0 || clock.now() >= until || lost.aborted) break;
    const result = await bus.publish(open);
    const accepted = open.filter(({ id }) => result.accepted.has(id));
    for (const { id } of accepted) done.add(id);
    // An entry without a confirmed result counts as refused, so that it is not sent twice in one round.
    const reasons = new Map(result.refused.map((refusal) => [refusal.id, refusal]));
    for (const { id } of open) {
      if (!done.has(id))
        refused.set(id, reasons.get(id) ?? { id, code: 'Unanswered', message: 'the bus returned no result' });
    }
    await ledger.markPublished(accepted);
    fruitless = accepted.length === 0 ? fruitless + 1 : 0;
  }
  const [first] = refused.values();
  if (first !== undefined) {
    logger.warn('the event bus refused entries; they stay in the outbox', summary(refused, first));
    await noteRefusal(registers, clock.now(), first);
  }
  return { published: done.size, refused: refused.size };
}

function summary(refused: ReadonlyMap<string, Refusal>, first: Refusal): Record<string, unknown> {
  const codes: Record<string, number> = {};
  for (const { code } of refused.values()) codes[code] = (codes[code] ?? 0) + 1;
  return { entries: refused.size, codes, example: first.message, entryId: first.id };
}
