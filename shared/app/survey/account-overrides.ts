import * as z from 'zod';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Deps } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';

const STATES = ['ACTIVE', 'SUSPENDED', 'PENDING_ACTIVATION', 'PENDING_CLOSURE', 'CLOSED', 'UNKNOWN'] as const;
const account = z.object({
  id: z.string(),
  name: z.string(),
  ou: z.string(),
  unitIds: z.array(z.string()).readonly().exactOptional(),
  state: z.enum(STATES).catch('UNKNOWN'),
  management: z.boolean(),
  tags: z.record(z.string(), z.string()).readonly().nullable(),
});
/** Accounts that an event or an opt-out caused to be read individually, with the time of that read. */
const refreshed = z.object({
  accounts: z.record(z.string(), z.number()),
  /** What was read; `null`: the account has left the organization. Versions before 0.3 do not store it. */
  read: z.record(z.string(), account.nullable()).default({}),
});

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
/** Maximum number of JSON characters of these accounts: an item of DynamoDB holds 400 kB. */
const MAX_CHARS = 150_000;

type Read = ReadonlyMap<AccountId, OrganizationAccount | null>;

/** Call it before the stored snapshot is changed: a scan that overwrites that change finds it here. @param read `null`: has left the organization */
export async function recordRefreshed(registers: Registers, read: Read, now: EpochMs): Promise<void> {
  await update(registers, ACCOUNT_OVERRIDES, (current) => {
    const all = { ...current?.read, ...Object.fromEntries(read) };
    const times = { ...current?.accounts, ...Object.fromEntries([...read.keys()].map((id) => [id, now])) };
    const recent = Object.entries(times).filter(([, at]) => at > now - KEPT_MS);
    const newest = recent.sort(([, a], [, b]) => b - a).slice(0, MAX_KEPT);
    let chars = 0;
    const kept = newest.filter(([id]) => {
      chars += JSON.stringify(all[id] ?? null).length;
      return chars <= MAX_CHARS;
    });
    const known = kept.flatMap(([id]) => (all[id] === undefined ? [] : [[id, all[id]] as const]));
    return { accounts: Object.fromEntries(kept), read: Object.fromEntries(known) };
  });
}

type OverrideDeps = Pick<Deps, 'registers' | 'snapshots'>;

/** When each account was last read individually, and what was read. */
type Overrides = ReadonlyMap<AccountId, { readonly at: EpochMs; readonly account: OrganizationAccount | null }>;

/**
 * Keeps accounts that an event handler has read while the organization was being read, because they are newer, and tags that were read live shortly
 * before.
 */
export async function mergeRefreshed(
  deps: OverrideDeps,
  snapshot: OrganizationSnapshot,
): Promise<OrganizationSnapshot> {
  return merged(snapshot, await overridesSince(deps, snapshot));
}

/** Stores a snapshot, merged like this. @returns what is stored */
export async function saveMerged(deps: OverrideDeps, snapshot: OrganizationSnapshot): Promise<OrganizationSnapshot> {
  const before = await overridesSince(deps, snapshot);
  const saved = merged(snapshot, before);
  await deps.snapshots.save(saved);
  const later = new Map(
    [...(await overridesSince(deps, snapshot))].filter(([id, { at }]) => at !== before.get(id)?.at),
  );
  if (later.size === 0) return saved;
  // Event handlers have changed the stored snapshot since its overrides were read, and the new one has replaced these changes.
  const current = merged(saved, later);
  const accounts = new Map(current.accounts.map((each) => [each.id, each]));
  await deps.snapshots.refresh([...later.keys()].flatMap((id) => accounts.get(id) ?? []));
  await deps.snapshots.remove([...later.keys()].filter((id) => !accounts.has(id)));
  return current;
}

/** The accounts that a snapshot may lack. */
async function overridesSince({ registers, snapshots }: OverrideDeps, snapshot: OrganizationSnapshot) {
  const { accounts = {}, read = {} } = (await readTyped(registers, ACCOUNT_OVERRIDES))?.value ?? {};
  const since = snapshot.takenAt - (snapshot.tags ? TAG_LAG_MS : 0);
  const found = new Map<AccountId, { readonly at: EpochMs; readonly account: OrganizationAccount | null }>();
  for (const [id, at] of Object.entries(accounts))
    if (at >= since) found.set(id, { at, account: read[id] === undefined ? await snapshots.get(id) : read[id] });
  return found;
}

function merged(snapshot: OrganizationSnapshot, overrides: Overrides): OrganizationSnapshot {
  if (overrides.size === 0) return snapshot;
  const accounts = new Map(snapshot.accounts.map((each) => [each.id, each]));
  for (const [id, { at, account: newer }] of overrides) {
    const scanned = accounts.get(id);
    if (at < snapshot.takenAt) {
      if (scanned !== undefined && newer !== null && newer.tags !== null)
        accounts.set(id, { ...scanned, tags: newer.tags });
    } else if (newer === null) accounts.delete(id);
    else if (!snapshot.tags || newer.tags !== null) accounts.set(id, newer);
  }
  return { ...snapshot, accounts: [...accounts.values()] };
}
