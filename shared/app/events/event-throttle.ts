import * as z from 'zod';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';

/*
 * How storms of events are kept small, in one register for all processes. Of one account:
 *
 *   first event: looked at at once ──▶ within 5 s: one look at their end ──▶ until that look: nothing (it will see this, too)
 *
 * and of all together at most so many accounts, and so many readings of the organization, a minute; whatever comes on top becomes one scan.
 */
const slots = z.object({
  /** When the last look at an account was asked to begin, epoch ms; of the last minute. */
  looks: z.record(z.string(), z.number()),
  /** When the organization was read because of an event; of the last minute. */
  reads: z.array(z.number()),
});
type Slots = z.infer<typeof slots>;

export const EVENT_THROTTLE = storedDocument(REGISTERS.eventThrottle, slots);
export const SPACING_MS = 5_000;
export const WINDOW_MS = 60_000;
/** Accounts that are looked at singly within a minute. */
export const MAX_LOOKS = 250;
/** Accounts that are read from Organizations within a minute: some calls each, from a service that throttles early. */
export const MAX_READS = 60;
/** Lost races after which there are so many events that a scan is due anyway. */
const MAX_RACES = 12;

export interface Granted {
  /** To be looked at at once. */
  readonly now: readonly AccountId[];
  /** To be looked at when {@link SPACING_MS} have passed. */
  readonly later: readonly AccountId[];
  /** A look that is still to begin covers them. */
  readonly covered: readonly AccountId[];
  /** Too many for single looks. */
  readonly refused: readonly AccountId[];
}

/** Leave to look at these accounts. */
export async function acquireLookups(registers: Registers, ids: readonly AccountId[], now: EpochMs): Promise<Granted> {
  const none: Granted = { now: [], later: [], covered: [], refused: ids };
  const granted = await take(registers, now, (current) => {
    const looks = { ...current.looks };
    const answer = {
      now: [] as AccountId[],
      later: [] as AccountId[],
      covered: [] as AccountId[],
      refused: [] as AccountId[],
    };
    for (const id of ids) {
      const last = looks[id];
      if (last !== undefined && last > now) answer.covered.push(id);
      else if (last !== undefined && last > now - SPACING_MS) {
        looks[id] = now + SPACING_MS;
        answer.later.push(id);
      } else if (last === undefined && Object.keys(looks).length >= MAX_LOOKS) answer.refused.push(id);
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

/** Leave to read so many accounts from Organizations. */
export async function acquireReads(registers: Registers, count: number, now: EpochMs): Promise<boolean> {
  const granted = await take(registers, now, (current) => {
    if (current.reads.length + count > MAX_READS) return { answer: false, next: null };
    return {
      answer: true,
      next: { ...current, reads: [...current.reads, ...Array.from({ length: count }, () => now)] },
    };
  });
  return granted ?? false;
}

/** @returns `null` if every race was lost. */
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
