import * as z from 'zod';
import { parseStoredKey, storedKey } from '../../domain/decision/changed-accounts.ts';
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
type Reservations = z.infer<typeof schema>;

export const RESERVED_CHANGES = storedDocument(REGISTERS.reservedChanges, schema);
/** How long a reservation is kept, ms: longer than caches, index lag and clock differences can hide the change in the audit log. */
const RESERVED_MS = 30_000;

/** The accounts with a reservation. */
export interface Reserved {
  /** Those that count against `maxChanges`. */
  readonly changes: ReadonlySet<AccountId>;
  readonly optOuts: ReadonlySet<AccountId>;
}

export const NONE_RESERVED: Reserved = { changes: new Set(), optOuts: new Set() };

export async function reservedChanges(registers: Registers, now: EpochMs): Promise<Reserved> {
  return accountsOf(recent((await readTyped(registers, RESERVED_CHANGES))?.value ?? null, now));
}

interface Reservation {
  readonly accountIds: readonly AccountId[];
  readonly optOutIds: ReadonlySet<AccountId>;
  /** The enrollment that is changed under an approval; `null`: the changes count against `maxChanges`. */
  readonly approved: string | null;
  readonly now: EpochMs;
}

/**
 * Reserves changes of these accounts.
 * @param fits throws if they do not fit with the existing reservations; then nothing is reserved.
 */
export async function reserveChanges(
  registers: Registers,
  { accountIds, optOutIds, approved, now }: Reservation,
  fits: (reserved: Reserved) => void,
): Promise<void> {
  await update(registers, RESERVED_CHANGES, (current) => {
    const kept = recent(current, now);
    fits(accountsOf(kept));
    const added = accountIds.map((id): [string, [number, boolean]] => {
      const key = storedKey(id, approved);
      return [key, [now, optOutIds.has(id) || (kept[key]?.[1] ?? false)]];
    });
    return { ...kept, ...Object.fromEntries(added) };
  });
}

/** The reservations in the content of a register, for a restore. @throws DamagedRegisterError */
export function reservationsIn(value: unknown): ReadonlyMap<string, LastChange> {
  const reserved = Object.entries(readValue(RESERVED_CHANGES, value));
  return new Map(reserved.map(([key, [at, optOut]]) => [key, { at, optOutAt: optOut ? at : null }]));
}

/** Also drops reservations dated in the future. Otherwise a clock that is far ahead would reserve a change for long. */
function recent(reserved: Reservations | null, now: EpochMs): Reservations {
  return Object.fromEntries(Object.entries(reserved ?? {}).filter(([, [at]]) => Math.abs(now - at) <= RESERVED_MS));
}

function accountsOf(reserved: Reservations): Reserved {
  const found = Object.entries(reserved).map(([key, [, optOut]]) => ({ ...parseStoredKey(key), optOut }));
  const idsOf = (some: typeof found): ReadonlySet<AccountId> => new Set(some.map(({ accountId }) => accountId));
  return {
    changes: idsOf(found.filter(({ approved }) => approved === null)),
    optOuts: idsOf(found.filter(({ optOut }) => optOut)),
  };
}
