import * as z from 'zod';
import { type Calendar, MAX_DIGITS, newCalendar, takenUntil, withRate } from '../domain/calendar.ts';
import { type BucketState, isForgotten } from '../domain/pacing.ts';
import type { EpochMs } from '../domain/types.ts';
import type { Registers } from '../ports/registers.ts';
import type { Clock } from '../ports/system.ts';
import { readTyped, type Typed } from './registers.ts';

const bucketSchema: z.ZodType<BucketState> = z.object({
  tat: z.number(),
  rate: z.number().positive(),
  limit: z.number().nullable(),
  cutAt: z.number(),
  ok: z.number(),
  throttled: z.number(),
  countedFrom: z.number(),
  settling: z.boolean(),
  share: z.number().nullable(),
  shareRate: z.number().positive(),
  tolerated: z.number(),
  at: z.number(),
});

const calendarSchema: z.ZodType<Calendar> = z.object({
  rate: z.number().positive(),
  head: z.int(),
  taken: z
    .string()
    .regex(/^[0-9a-f]*$/)
    .max(MAX_DIGITS + 1),
});

/** All that workers share about pace, in one register, so that one conditional write does for the total and an operation. */
export interface Page {
  /** The shared time at which this was written, epoch ms. */
  readonly at: EpochMs;
  readonly calendar: Calendar;
  /** By `service:Operation`; not those that nobody has called for a while. */
  readonly operations: Readonly<Record<string, BucketState>>;
}

const pageSchema: z.ZodType<Page> = z.object({
  at: z.number(),
  calendar: calendarSchema,
  operations: z.record(z.string(), bucketSchema),
});

const REGISTER = 'limiter/shared';

/** Clocks that agree to this are taken as they are, ms: it is no more than a call may be late. */
const AGREE_MS = 50;
/** A page that was not written for so long is nobody's, ms: no clock is believed to be wrong by more when there is another explanation. */
const MOST_SKEW_MS = 60_000;
/** How often a process that compares its clock looks, ms. Reads only. */
const LOOK_MS = 25;

/** What to write and what came of it, or how long to wait before asking again, ms. */
export type Change<T> = { readonly page: Page; readonly value: T } | { readonly waitMs: number };

/**
 * One process's access to the shared page, and to the shared time.
 *
 * Slots are moments, so processes whose clocks disagree would make calls at each other's moments. None of the clocks needs to be right; they
 * need to agree. The page carries the time of its last write: a reader whose clock is behind that is behind, and moves up; one whose clock
 * is ahead of it can't know whether it is ahead or nobody wrote for a while. So before its first reservation a process looks on until the
 * page is written again, which tells, or until everything that was reserved has passed.
 */
export class Book {
  readonly #registers: Registers;
  readonly #clock: Clock;
  readonly #ceiling: number;
  #page: Page | null = null;
  /** Shared time − own clock, ms; `null`: not compared yet. */
  #offset: number | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  /** How long the last read and write took, ms. */
  #tripMs = 0;

  constructor(registers: Registers, clock: Clock, ceiling: number) {
    this.#registers = registers;
    this.#clock = clock;
    this.#ceiling = ceiling;
  }

  get offset(): number {
    return this.#offset ?? 0;
  }

  get tripMs(): number {
    return this.#tripMs;
  }

  /** As this process last saw it. */
  async page(): Promise<Page> {
    return this.#page ?? this.#alone(async () => (await this.#read()).page);
  }

  /** Changes the page by compare-and-set until it succeeds. One change at a time: a process is not to lose against itself. */
  async change<T>(change: (page: Page, now: EpochMs) => Change<T>): Promise<T> {
    for (;;) {
      const done = await this.#alone(() => this.#attempt(change));
      if ('value' in done) return done.value;
      await this.#clock.sleep(done.waitMs);
    }
  }

  async #attempt<T>(change: (page: Page, now: EpochMs) => Change<T>): Promise<Change<T>> {
    for (;;) {
      const begun = this.#clock.now();
      const { page, version, now } = await this.#read();
      const changed = change(page, now);
      if (!('value' in changed)) return changed;
      const next = { ...changed.page, at: now };
      if ((await this.#registers.write(REGISTER, next, version)) === null) continue;
      // The first of all: its clock is the shared time.
      this.#offset ??= 0;
      this.#page = next;
      this.#tripMs = Math.max(0, this.#clock.now() - begun);
      return changed;
    }
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    // Who comes next does so whether this succeeds or not; the caller is told.
    this.#turn = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  }

  async #read(): Promise<{ page: Page; version: string | null; now: EpochMs }> {
    const asked = this.#clock.now();
    let stored = await this.#stored();
    if (this.#tripMs === 0) this.#tripMs = Math.max(0, 2 * (this.#clock.now() - asked));
    if (stored !== null && this.#offset === null) stored = await this.#compare(stored, asked);
    else if (stored !== null) this.#offset = Math.max(this.offset, stored.value.at - this.#clock.now());
    const now = this.#clock.now() + this.offset;
    const page = this.#current(stored?.value ?? null, now);
    this.#page = page;
    return { page, version: stored?.version ?? null, now };
  }

  /** Finds out how the own clock stands to the shared time. `asked`: when the first page was asked for. */
  async #compare(first: Typed<Page>, asked: EpochMs): Promise<Typed<Page> | null> {
    const begun = this.#clock.now();
    const gap = first.value.at - begun;
    let stored: Typed<Page> | null = first;
    let look = { asked, before: asked };
    let fastest = begun - asked;
    // However small the gap is: a clock that is behind looks right beside a page that is old.
    if (gap > -MOST_SKEW_MS) {
      // Whoever lives and wants more writes before the last of what is reserved has passed.
      const longest = Math.max(0, takenUntil(first.value.calendar) - first.value.at) + AGREE_MS;
      while (stored?.version === first.version && this.#clock.now() - begun < longest) {
        await this.#clock.sleep(LOOK_MS);
        look = { asked: this.#clock.now(), before: look.asked };
        stored = await this.#stored();
        fastest = Math.min(fastest, this.#clock.now() - look.asked);
      }
    }
    const now = this.#clock.now();
    const ahead = (stored?.value.at ?? now) - now;
    const age = { least: fastest, most: now - look.before };
    const live = stored?.version !== first.version;
    this.#offset = live ? offsetBy(ahead, age) : Math.max(0, ahead);
    return stored;
  }

  #stored(): Promise<Typed<Page> | null> {
    return readTyped(this.#registers, REGISTER, pageSchema);
  }

  #current(stored: Page | null, now: EpochMs): Page {
    if (stored === null) return { at: now, calendar: newCalendar(this.#ceiling, now), operations: {} };
    const known = Object.entries(stored.operations).filter(([, state]) => !isForgotten(state, now));
    const calendar = withRate(stored.calendar, this.#ceiling, now);
    return { at: stored.at, calendar, operations: Object.fromEntries(known) };
  }
}

/**
 * How the own clock stands to the time that a page bears which was written while one looked on: `ahead`, ms, less what the page has aged. It is
 * at least as old as half a write and half a read take, and no older than the look before the one that found it. What lies between is no
 * proof of a difference; and to be taken for too old is no harm, while a time that is ahead of the shared one would draw all others along.
 */
function offsetBy(ahead: number, age: { readonly least: number; readonly most: number }): number {
  return ahead > -age.least || ahead < -age.most ? ahead + age.least : 0;
}

/** The present rate of every bucket, calls a second, by `service:Operation` and `total`. */
export async function bucketRates(registers: Registers): Promise<Record<string, number>> {
  const stored = pageSchema.safeParse((await registers.read(REGISTER))?.value);
  if (!stored.success) return {};
  const { operations, calendar } = stored.data;
  const rates = Object.entries(operations).map(([name, { rate }]) => [name, rate] as const);
  const rounded = [...rates, ['total', calendar.rate] as const].map(([name, rate]) => [
    name,
    Math.round(rate * 10) / 10,
  ]);
  return Object.fromEntries(rounded);
}
