import * as z from 'zod';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Deps } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';

/** Accounts that were read singly because of an event, and when. */
const refreshed = z.object({ accounts: z.record(z.string(), z.number()) });

export const ACCOUNT_OVERRIDES = storedDocument(REGISTERS.accountOverrides, refreshed);
/** No reading of the organization takes longer, ms. */
const KEPT_MS = 60 * 60_000;
/** Beyond that the oldest are forgotten: so many changes have asked for a scan of their own. */
const MAX_KEPT = 500;

export async function noteRefreshed(registers: Registers, ids: readonly AccountId[], now: EpochMs): Promise<void> {
  await update(registers, ACCOUNT_OVERRIDES, (current) => {
    const known = Object.entries({ ...current?.accounts, ...Object.fromEntries(ids.map((id) => [id, now])) });
    const recent = known.filter(([, at]) => at > now - KEPT_MS).sort(([, a], [, b]) => b - a);
    return { accounts: Object.fromEntries(recent.slice(0, MAX_KEPT)) };
  });
}

/**
 * A reading of the organization takes minutes; of accounts that an event has had read meanwhile, what the event brought is the newer
 * knowledge and must not be overwritten by it.
 */
export async function withRefreshed(
  { registers, snapshots }: Pick<Deps, 'registers' | 'snapshots'>,
  taken: OrganizationSnapshot,
): Promise<OrganizationSnapshot> {
  const known = (await readTyped(registers, ACCOUNT_OVERRIDES))?.value.accounts ?? {};
  const ids = Object.keys(known).filter((id) => (known[id] ?? 0) >= taken.takenAt);
  if (ids.length === 0) return taken;
  const accounts = new Map(taken.accounts.map((account) => [account.id, account]));
  for (const id of ids) {
    const newer = await snapshots.get(id);
    if (newer === null) accounts.delete(id);
    else if (!taken.tags || newer.tags !== null) accounts.set(id, newer);
  }
  return { ...taken, accounts: [...accounts.values()] };
}
