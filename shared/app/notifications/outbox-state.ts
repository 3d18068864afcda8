import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Refusal } from '../../ports/bus.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';

/** Entries that have waited too long for the event bus. The shape of `outbox` in `status --json`. */
export interface OutboxView {
  /** How many entries, up to a limit; see `more`. */
  readonly overdue: number;
  /** There are more entries than `overdue` says. */
  readonly more: boolean;
  /** When the oldest of them was written, ISO 8601. */
  readonly oldestAt: string;
  /** The last refusal by the bus; `null`: it never refused an entry, so publishing does not run or is too slow. */
  readonly refusal: { readonly at: string; readonly code: string; readonly message: string } | null;
}

/** The event bus for entries: the policy's, else the deployment's; `null`: entries are not published. */
export function busOf(policy: CompiledPolicy | null, deployed: string | null): string | null {
  return policy?.policy.notify?.eventBus ?? deployed;
}

const refusalSchema = z.object({ at: z.number(), code: z.string(), message: z.string() });
export const BUS_REFUSAL = storedDocument(REGISTERS.busRefusal, refusalSchema);

/** Entries are published at least once a minute, so an entry that waits for longer than this is stuck, ms. */
export const OVERDUE_MS = 5 * 60_000;
/** Counting stops here, because entries are read one by one. */
const COUNTED = 100;

/** @returns `null` if no entry has waited too long */
export async function overdueEntries(
  { ledger, registers }: { readonly ledger: Pick<Ledger, 'unpublished'>; readonly registers: Registers },
  now: EpochMs,
): Promise<OutboxView | null> {
  const page = await ledger.unpublished(COUNTED + 1);
  const before = toIso(now - OVERDUE_MS);
  const overdue = page.filter(({ at }) => at < before);
  const [oldest] = overdue;
  if (oldest === undefined) return null;
  const refusal = await readTyped(registers, BUS_REFUSAL);
  return {
    overdue: Math.min(COUNTED, overdue.length),
    more: overdue.length > COUNTED,
    oldestAt: oldest.at,
    refusal: refusal === null ? null : { ...refusal.value, at: toIso(refusal.value.at) },
  };
}

/** Entries that wait for the event bus. */
export interface Unpublished {
  readonly entries: number;
  /** There are more entries than `entries` says. */
  readonly more: boolean;
}

export async function unpublishedEntries(ledger: Pick<Ledger, 'unpublished'>): Promise<Unpublished> {
  const { length } = await ledger.unpublished(COUNTED + 1);
  return { entries: Math.min(length, COUNTED), more: length > COUNTED };
}

/** Keeps the reason of a refusal for `status` and `doctor`, which may run in another process than the publisher. */
export async function noteRefusal(registers: Registers, at: EpochMs, { code, message }: Refusal): Promise<void> {
  await update(registers, BUS_REFUSAL, () => ({ at, code, message: message.slice(0, 500) }));
}
