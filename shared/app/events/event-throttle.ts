import * as z from 'zod';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';

/*
 * Limits the work that events cause, for all processes together. A lookup of an account means that a worker reconciles it:
 *
 *   first event: queued immediately ──▶ another within 5 s: queued for the end of the 5 s ──▶ further ones: covered by that
 *
 * The numbers of lookups and of reads from AWS Organizations per minute are limited. Beyond the limit, one scan is requested.
 */
const slots = z.object({
  /** Start of the last lookup of each account in the last minute, epoch ms. */
  looks: z.record(z.string(), z.number()),
  /** Times of the reads from AWS Organizations in the last minute, epoch ms. */
  reads: z.array(z.number()),
});
type Slots = z.infer<typeof slots>;

export const EVENT_THROTTLE = storedDocument(REGISTERS.eventThrottle, slots);
export const SPACING_MS = 5_000;
export const WINDOW_MS = 60_000;
/** Maximum number of accounts that are queued individually per minute. */
export const MAX_LOOKUPS = 250;
/** Maximum number of accounts read from AWS Organizations per minute. Each takes several calls, and the service has low limits. */
export const MAX_READS = 60;
/** The number of attempts to write the register before the work is left to a scan. */
const MAX_RACES = 12;

export interface Granted {
  /** Accounts to queue immediately. */
  readonly now: readonly AccountId[];
  /** Accounts to queue after {@link SPACING_MS}. */
  readonly later: readonly AccountId[];
  /** Accounts covered by a lookup that has not begun yet. */
  readonly covered: readonly AccountId[];
  /** Accounts beyond the limit. */
  readonly refused: readonly AccountId[];
}

/** Decides which of these accounts may be looked up now, and counts them against the limit. */
export async function acquireLookups(registers: Registers, ids: readonly AccountId[], now: EpochMs): Promise<Granted> {
  const none: Granted = { now: [], later: [], covered: [], refused: ids };
  const granted = await take(registers, now, (current) => {
    const looks = { ...current.looks };
    const answer: Record<keyof Granted, AccountId[]> = { now: [], later: [], covered: [], refused: [] };
    for (const id of ids) {
      const last = looks[id];
      if (last !== undefined && last > now) answer.covered.push(id);
      else if (last !== undefined && last > now - SPACING_MS) {
        looks[id] = now + SPACING_MS;
        answer.later.push(id);
      } else if (last === undefined && Object.keys(looks).length >= MAX_LOOKUPS) answer.refused.push(id);
      else {
        looks[id] = now;
        answer.now.push(id);
      }
    }
    const changed = answer.now.length + answer.later.length > 0;
    return { answer, next: changed ? { ...current, looks } : null };
  });
  return granted ?? none;
}

/** Acquires `count` reads from AWS Organizations. @returns whether they were granted. */
export async function acquireReads(registers: Registers, count: number, now: EpochMs): Promise<boolean> {
  const granted = await take(registers, now, (current) => {
    if (current.reads.length + count > MAX_READS) return { answer: false, next: null };
    const reads = [...current.reads, ...Array.from({ length: count }, () => now)];
    return { answer: true, next: { ...current, reads } };
  });
  return granted ?? false;
}

/** Changes the register by compare-and-set. @returns `null` if another process was faster every time. */
async function take<T>(
  registers: Registers,
  now: EpochMs,
  change: (current: Slots) => { readonly answer: T; readonly next: Slots | null },
): Promise<T | null> {
  for (let race = 0; race < MAX_RACES; race += 1) {
    const known = await readTyped(registers, EVENT_THROTTLE);
    const { looks = {}, reads = [] } = known?.value ?? {};
    const recent: Slots = {
      looks: Object.fromEntries(Object.entries(looks).filter(([, at]) => at > now - WINDOW_MS)),
      reads: reads.filter((at) => at > now - WINDOW_MS),
    };
    const { answer, next } = change(recent);
    if (next === null || (await writeTyped(registers, EVENT_THROTTLE, next, known?.version ?? null)) !== null)
      return answer;
  }
  return null;
}
