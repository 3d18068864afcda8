import * as z from 'zod';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import type { LastChange } from '../../ports/restore.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, readValue, update } from '../coordination/typed-register.ts';

/*
 * The changes of all processes in the last seconds. The audit log has them too, but DynamoDB's index lags, so concurrent processes
 * would together exceed a cap. Therefore each process reserves a change here first.
 */
const schema = z.record(z.string(), z.tuple([z.number(), z.boolean()]));
type Claimed = z.infer<typeof schema>;

export const CLAIMED_CHANGES = storedDocument(REGISTERS.claimedChanges, schema);
/** How long a reservation is kept, ms: longer than caches, index lag and clock differences can hide the change in the audit log. */
const CLAIMED_MS = 30_000;

/** The accounts with a reservation, and whether it is an opt-out. */
type Latest = ReadonlyMap<AccountId, boolean>;

export async function claimedChanges(registers: Registers, now: EpochMs): Promise<Latest> {
  return latest(recent((await readTyped(registers, CLAIMED_CHANGES))?.value ?? null, now));
}

/**
 * Reserves changes of these accounts.
 * @param fits throws if they do not fit with the existing reservations; then nothing is reserved.
 */
export async function claimChanges(
  registers: Registers,
  {
    accountIds,
    optOutIds,
    now,
  }: { readonly accountIds: readonly AccountId[]; readonly optOutIds: ReadonlySet<AccountId>; readonly now: EpochMs },
  fits: (latest: Latest) => void,
): Promise<void> {
  await update(registers, CLAIMED_CHANGES, (current) => {
    const kept = recent(current, now);
    fits(latest(kept));
    const added = accountIds.map((id): [string, [number, boolean]] => [
      id,
      [now, optOutIds.has(id) || (kept[id]?.[1] ?? false)],
    ]);
    return { ...kept, ...Object.fromEntries(added) };
  });
}

/** The reservations in the content of a register, for a restore. @throws DamagedRegisterError */
export function claimsIn(value: unknown): ReadonlyMap<AccountId, LastChange> {
  const claims = Object.entries(readValue(CLAIMED_CHANGES, value));
  return new Map(claims.map(([id, [at, optOut]]) => [id, { at, optOutAt: optOut ? at : null }]));
}

/** Also drops reservations dated in the future. Otherwise a clock that is far ahead would reserve a change for long. */
function recent(claimed: Claimed | null, now: EpochMs): Claimed {
  return Object.fromEntries(Object.entries(claimed ?? {}).filter(([, [at]]) => Math.abs(now - at) <= CLAIMED_MS));
}

function latest(claimed: Claimed): Latest {
  return new Map(Object.entries(claimed).map(([id, [, optOut]]) => [id, optOut]));
}
