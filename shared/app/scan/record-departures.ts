import type { AccountRecord } from '../../domain/account/record.ts';
import { left } from '../../domain/account/transition.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import { toIso } from '../../domain/time.ts';
import type { Deps, RunContext } from '../context.ts';
import { entryContext } from '../ledger/organization-entry.ts';
import type { EntryWrite } from '../ledger/write-entries.ts';

const READERS = 8;
/** How much the clock of the process that recorded a join may be behind, ms. */
const CLOCKS_MS = 60_000;

/**
 * The entries about accounts that a complete listing of the organization lacks. A continued scan reuses a listing for half an hour, and an event may
 * have reported meanwhile that an account joined. The listing says nothing about such an account, so the next scan decides. The same applies to an
 * account whose chain grows before the entry is written.
 * @param readAt when the organization was read
 */
export async function departures(
  deps: Pick<Deps, 'ledger' | 'newId' | 'clock' | 'actor' | 'random'>,
  run: RunContext,
  missing: readonly AccountRecord[],
  readAt: EpochMs,
): Promise<readonly EntryWrite[]> {
  const since = toIso(readAt - CLOCKS_MS);
  const writes = await mapParallel(missing, READERS, async (record): Promise<EntryWrite[]> => {
    const { accountId, head } = record;
    const { entries } = await deps.ledger.query({ accountId, type: 'AccountJoined', since }, { limit: 1 });
    if (entries.length > 0) return [];
    const decide: EntryWrite['decide'] = (current) =>
      current.head.seq === head.seq ? [left(entryContext(deps, run), current)] : [];
    return [{ record, decide }];
  });
  return writes.flat();
}
