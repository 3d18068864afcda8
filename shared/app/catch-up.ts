import { z } from 'zod';
import { ORGANIZATION_CHAIN } from '../domain/ledger.ts';
import { emptyRecord } from '../domain/record.ts';
import type { AccountId } from '../domain/types.ts';
import type { Deps } from './deps.ts';
import { Journal } from './journal.ts';
import { readTyped, update } from './registers.ts';

/** Until when every entry is known to have reached its record, epoch ms. */
const mark = z.object({ until: z.number() });
const MARK = 'caught-up';

/** Entries of a page. */
const PAGE = 1_000;
/** An entry may be stored this much later than its time says, and by a machine whose clock is off, ms. */
const SLACK_MS = 10 * 60_000;

/**
 * Brings records that are behind their chains up to them. A process that ends between an entry and its record leaves one behind, and
 * whoever works on the account finds that; but an account that has left the organization, or that looks by now as its old record says,
 * nobody works on: its drift would never end (invariant 1). Costs as much as was written since the last time.
 * @returns how many records were behind.
 */
export async function catchUpRecords(deps: Pick<Deps, 'ledger' | 'records' | 'registers' | 'clock'>): Promise<number> {
  const now = deps.clock.now();
  const known = await readTyped(deps.registers, MARK, mark);
  // A clock that was set back since must not hide what is written now.
  const since = known === null ? null : Math.min(known.value.until, now) - SLACK_MS;
  let behind = 0;
  let cursor: string | null = null;
  do {
    const filter = since === null ? {} : { since: new Date(since).toISOString() };
    const page = await deps.ledger.query(filter, { limit: PAGE, cursor, order: 'oldestFirst' });
    const ends = new Map<AccountId, number>();
    for (const { chain, seq } of page.entries) {
      if (chain !== ORGANIZATION_CHAIN) ends.set(chain, Math.max(seq, ends.get(chain) ?? 0));
    }
    behind += await catchUp(deps, ends);
    cursor = page.next;
  } while (cursor !== null);
  await update(deps.registers, MARK, mark, () => ({ until: now }));
  return behind;
}

async function catchUp(
  { ledger, records }: Pick<Deps, 'ledger' | 'records'>,
  ends: ReadonlyMap<AccountId, number>,
): Promise<number> {
  const stored = await records.getMany([...ends.keys()]);
  const journal = new Journal(ledger, records);
  const late = [...ends].filter(([id, seq]) => (stored.get(id)?.head.seq ?? 0) < seq);
  const caught = await Promise.all(late.map(([id]) => journal.caughtUp(stored.get(id) ?? emptyRecord(id))));
  if (caught.length > 0) await records.advance(caught);
  return caught.length;
}
