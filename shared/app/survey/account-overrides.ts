import * as z from 'zod';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Deps } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';

/** Accounts that an event or an opt-out caused to be read individually, with the time of that read. */
const refreshed = z.object({ accounts: z.record(z.string(), z.number()) });

export const ACCOUNT_OVERRIDES = storedDocument(REGISTERS.accountOverrides, refreshed);
/** How long these accounts are remembered, ms: longer than any read of the whole organization takes. */
const KEPT_MS = 60 * 60_000;
/**
 * How long tags that were read live take precedence over those of a scan, ms: the index from which a scan reads tags lags behind, without a documented
 * bound.
 */
const TAG_LAG_MS = 15 * 60_000;
/** Maximum number of accounts. The oldest are dropped, because so many events request a scan anyway. */
const MAX_KEPT = 500;

export async function recordRefreshed(registers: Registers, ids: readonly AccountId[], now: EpochMs): Promise<void> {
  await update(registers, ACCOUNT_OVERRIDES, (current) => {
    const known = Object.entries({ ...current?.accounts, ...Object.fromEntries(ids.map((id) => [id, now])) });
    const recent = known.filter(([, at]) => at > now - KEPT_MS).sort(([, a], [, b]) => b - a);
    return { accounts: Object.fromEntries(recent.slice(0, MAX_KEPT)) };
  });
}

/**
 * Keeps accounts that an event handler has read while the organization was being read, because they are newer, and tags that were read live shortly
 * before.
 */
export async function mergeRefreshed(
  { registers, snapshots }: Pick<Deps, 'registers' | 'snapshots'>,
  snapshot: OrganizationSnapshot,
): Promise<OrganizationSnapshot> {
  const known = (await readTyped(registers, ACCOUNT_OVERRIDES))?.value.accounts ?? {};
  const lagMs = snapshot.tags ? TAG_LAG_MS : 0;
  const ids = Object.keys(known).filter((id) => (known[id] ?? 0) >= snapshot.takenAt - lagMs);
  if (ids.length === 0) return snapshot;
  const accounts = new Map(snapshot.accounts.map((account) => [account.id, account]));
  for (const id of ids) {
    const newer = await snapshots.get(id);
    const scanned = accounts.get(id);
    if ((known[id] ?? 0) < snapshot.takenAt) {
      if (scanned !== undefined && newer !== null && newer.tags !== null)
        accounts.set(id, { ...scanned, tags: newer.tags });
    } else if (newer === null) accounts.delete(id);
    else if (!snapshot.tags || newer.tags !== null) accounts.set(id, newer);
  }
  return { ...snapshot, accounts: [...accounts.values()] };
}
