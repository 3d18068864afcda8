import * as z from 'zod';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import { toIso } from '../domain/time.ts';
import type { EpochMs } from '../domain/types.ts';
import type { Refusal } from '../ports/bus.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Registers } from '../ports/registers.ts';
import { readTyped, update } from './registers.ts';

/** Entries that have waited too long for the event bus. The shape of `outbox` in `status --json`. */
export interface OutboxView {
  /** How many; see `more`. */
  readonly overdue: number;
  /** There are more than were counted. */
  readonly more: boolean;
  /** When the oldest of them was written, ISO 8601. */
  readonly oldestAt: string;
  /** The last time that the bus refused an entry, with the reason; `null`: it never did, so that nobody publishes, or too slowly. */
  readonly refusal: { readonly at: string; readonly code: string; readonly message: string } | null;
}

/** The event bus that entries are published on: the one that the policy names, else the deployment's; `null`: they are not published. */
export function busOf(policy: CompiledPolicy | null, deployed: string | null): string | null {
  return policy?.policy.notify?.eventBus ?? deployed;
}

const refusalSchema = z.object({ at: z.number(), code: z.string(), message: z.string() });
const REGISTER = 'refused-by-bus';

/** A publisher comes once a minute at the latest; what has waited for longer than this, ms, is not on its way. */
export const OVERDUE_MS = 5 * 60_000;
/** Entries are read one by one: no more than so many are counted. */
const COUNTED = 100;

/** @returns `null`: none has waited too long */
export async function overdueEntries(
  { ledger, registers }: { readonly ledger: Pick<Ledger, 'unpublished'>; readonly registers: Registers },
  now: EpochMs,
): Promise<OutboxView | null> {
  const page = await ledger.unpublished(COUNTED + 1);
  const before = toIso(now - OVERDUE_MS);
  const overdue = page.filter(({ at }) => at < before);
  const [oldest] = overdue;
  if (oldest === undefined) return null;
  const refusal = await readTyped(registers, REGISTER, refusalSchema);
  return {
    overdue: Math.min(COUNTED, overdue.length),
    more: overdue.length > COUNTED,
    oldestAt: oldest.at,
    refusal: refusal === null ? null : { ...refusal.value, at: toIso(refusal.value.at) },
  };
}

/** Keeps the reason of a refusal for `status` and `doctor`; whoever publishes may be another process. */
export async function noteRefusal(registers: Registers, at: EpochMs, { code, message }: Refusal): Promise<void> {
  await update(registers, REGISTER, refusalSchema, () => ({ at, code, message: message.slice(0, 500) }));
}
