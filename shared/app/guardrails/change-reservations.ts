import * as z from 'zod';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import type { LastChange } from '../../ports/restore.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, readValue, update } from '../coordination/typed-register.ts';

/*
 * What was let past the caps in the last moments, by all processes. The ledger has it too, but in the aws runtime its index follows behind,
 * so that processes that act at the same moment would not see each other there. Who changes something notes it here, by compare-and-set,
 * on condition that it fits with what the others have noted.
 */
const schema = z.record(z.string(), z.tuple([z.number(), z.boolean()]));
type Claimed = z.infer<typeof schema>;

export const CLAIMED_CHANGES = storedDocument(REGISTERS.claimedChanges, schema);
/**
 * How long a change is kept here, ms: until every picture of the ledger that is still in use has it. That is as long as a picture is used, as an
 * index follows behind and as clocks differ, with much to spare.
 */
const CLAIMED_MS = 30_000;

/** Whether an account was opted out, by account. */
type Latest = ReadonlyMap<AccountId, boolean>;

/** What was let past the caps in the last moments. */
export async function claimedChanges(registers: Registers, now: EpochMs): Promise<Latest> {
  return latest(recent((await readTyped(registers, CLAIMED_CHANGES))?.value ?? null, now));
}

/**
 * Notes that these accounts are about to be changed.
 * @param fits throws if they would not fit with what others have noted; then nothing is noted.
 */
export async function claimChanges(
  registers: Registers,
  {
    accountIds,
    optOut,
    now,
  }: { readonly accountIds: readonly AccountId[]; readonly optOut: boolean; readonly now: EpochMs },
  fits: (latest: Latest) => void,
): Promise<void> {
  await update(registers, CLAIMED_CHANGES, (current) => {
    const kept = recent(current, now);
    fits(latest(kept));
    const added = accountIds.map((id): [string, [number, boolean]] => [id, [now, optOut || (kept[id]?.[1] ?? false)]]);
    return { ...kept, ...Object.fromEntries(added) };
  });
}

/** The claims in a register's content, for a restore. @throws DamagedRegisterError */
export function claimsIn(value: unknown): ReadonlyMap<AccountId, LastChange> {
  const claims = Object.entries(readValue(CLAIMED_CHANGES, value));
  return new Map(claims.map(([id, [at, optOut]]) => [id, { at, optOutAt: optOut ? at : null }]));
}

/** A clock that is far ahead must not leave something here for good. */
function recent(claimed: Claimed | null, now: EpochMs): Claimed {
  return Object.fromEntries(Object.entries(claimed ?? {}).filter(([, [at]]) => Math.abs(now - at) <= CLAIMED_MS));
}

function latest(claimed: Claimed): Latest {
  return new Map(Object.entries(claimed).map(([id, [, optOut]]) => [id, optOut]));
}
