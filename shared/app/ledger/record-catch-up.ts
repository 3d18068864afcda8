import * as z from 'zod';
import { emptyRecord } from '../../domain/account/record.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import type { Deps } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { caughtUp } from './write-entries.ts';

/** All entries before this time are known to be included in the account records, epoch ms. */
const mark = z.object({ until: z.number() });
export const RECORD_CATCH_UP = storedDocument(REGISTERS.recordCatchUp, mark);

/** Number of records brought up to date at a time. */
const CHUNK = 500;
/** An entry may be stored this much later than its timestamp, ms: writing takes time, and the writer's clock may be wrong. */
const SLACK_MS = 10 * 60_000;

/**
 * Brings records that are behind their chains up to date: a process may crash between an entry and its record. The next work on the account would
 * do that too, but none follows if the account has left or its state matches the old record, and its drift would never end (invariant 1). Reads
 * entries and records only of accounts that are behind.
 * @returns how many records were behind.
 */
export async function catchUpRecords(deps: Pick<Deps, 'ledger' | 'records' | 'registers' | 'clock'>): Promise<number> {
  const now = deps.clock.now();
  const known = await readTyped(deps.registers, RECORD_CATCH_UP);
  // If the clock was set back since, `until` lies in the future and would hide new entries.
  const since = known === null ? null : new Date(Math.min(known.value.until, now) - SLACK_MS).toISOString();
  const behind = await accountsBehind(deps, await deps.ledger.reachedSince(since));
  for (let at = 0; at < behind.length; at += CHUNK) await catchUp(deps, behind.slice(at, at + CHUNK));
  await update(deps.registers, RECORD_CATCH_UP, () => ({ until: now }));
  return behind.length;
}

/** The accounts whose record is missing or ends before the chain does. */
async function accountsBehind(
  { records }: Pick<Deps, 'records'>,
  reached: ReadonlyMap<string, number>,
): Promise<readonly AccountId[]> {
  const behind = new Map(reached);
  behind.delete(ORGANIZATION_CHAIN);
  if (behind.size === 0) return [];
  for await (const page of records.heads()) {
    for (const { accountId, seq } of page) if (seq >= (behind.get(accountId) ?? 0)) behind.delete(accountId);
  }
  return [...behind.keys()];
}

async function catchUp(deps: Pick<Deps, 'ledger' | 'records'>, late: readonly AccountId[]) {
  const stored = await deps.records.getMany(late);
  await deps.records.advance(await Promise.all(late.map((id) => caughtUp(deps, stored.get(id) ?? emptyRecord(id)))));
}
