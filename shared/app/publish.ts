import type { EventBus, Refusal } from '../ports/bus.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Clock, Logger } from '../ports/system.ts';

export interface PublishDeps {
  readonly ledger: Pick<Ledger, 'unpublished' | 'markPublished'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface PublishOptions {
  /** Stop beginning further pages at this time, epoch ms: a Lambda has an end (default: until nothing is left). */
  readonly until?: number;
  /** Entries that are published and then marked together (default 200). */
  readonly pageSize?: number;
}

export interface Published {
  readonly published: number;
  /** Entries that the bus did not take; they stay unmarked and are tried again next time. */
  readonly refused: number;
}

const PAGE = 200;
/** Pages in a row of which nothing was accepted, after which the bus is taken to be down. */
const FRUITLESS_PAGES = 5;

/**
 * Empties the outbox: publishes what is not marked, then marks what was accepted. A crash in between publishes again; listeners tell
 * by the entry's id. What the bus refuses is passed over, so that one such entry cannot hold up those behind it.
 */
export async function publishUnpublished(deps: PublishDeps, options: PublishOptions = {}): Promise<Published> {
  const { ledger, bus, clock, logger } = deps;
  const { until = Number.POSITIVE_INFINITY, pageSize = PAGE } = options;
  const refused = new Map<string, Refusal>();
  /** An outbox that lags behind its marks may show them once more. */
  const done = new Set<string>();
  for (let fruitless = 0; fruitless < FRUITLESS_PAGES; ) {
    const page = await ledger.unpublished(pageSize + refused.size);
    const open = page.filter(({ id }) => !refused.has(id) && !done.has(id));
    if (open.length === 0 || clock.now() >= until) break;
    const result = await bus.publish(open);
    const accepted = open.filter(({ id }) => result.accepted.has(id));
    for (const { id } of accepted) done.add(id);
    // Whatever is not known to be accepted is refused: nothing may be asked for twice in one go.
    const reasons = new Map(result.refused.map((refusal) => [refusal.id, refusal]));
    for (const { id } of open) {
      if (!done.has(id))
        refused.set(id, reasons.get(id) ?? { id, code: 'Unanswered', message: 'the bus says nothing' });
    }
    await ledger.markPublished(accepted);
    fruitless = accepted.length === 0 ? fruitless + 1 : 0;
  }
  if (refused.size > 0) logger.warn('the event bus refused entries; they stay in the outbox', summary(refused));
  return { published: done.size, refused: refused.size };
}

function summary(refused: ReadonlyMap<string, Refusal>): Record<string, unknown> {
  const codes: Record<string, number> = {};
  for (const { code } of refused.values()) codes[code] = (codes[code] ?? 0) + 1;
  const [first] = refused.values();
  return { entries: refused.size, codes, example: first?.message, entryId: first?.id };
}
