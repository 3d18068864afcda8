import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { type BucketState, isForgotten } from '../../domain/rate-limit/adaptive-rate.ts';
import { MAX_CLOCK_ERROR_MS } from '../../domain/rate-limit/clock-difference.ts';
import { type Calendar, MAX_DIGITS, newCalendar, withRate } from '../../domain/rate-limit/slot-calendar.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock } from '../../ports/system.ts';
import { documentFamily, REGISTERS } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';
import type { ClockCheck } from './clock-check.ts';

const bucketSchema: z.ZodType<BucketState> = z.object({
  tat: z.number(),
  rate: z.number().positive(),
  limit: z.number().nullable(),
  cutAt: z.number(),
  ok: z.number(),
  throttled: z.number(),
  countedFrom: z.number(),
  countedTo: z.number().nullable().default(null),
  settling: z.boolean(),
  share: z.number().nullable(),
  shareAnswers: z.number().default(0),
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

/** The stored state of the rate limiter. It is one register, so that one conditional write covers the total and an operation. */
export interface Page {
  /** When this was written, by the writer's clock. */
  readonly at: EpochMs;
  /** The total budget; `null` without one. */
  readonly calendar: Calendar | null;
  /** By `service:Operation`. Operations without a call for a while are dropped. */
  readonly operations: Readonly<Record<string, BucketState>>;
}

const pageSchema: z.ZodType<Page> = z.object({
  at: z.number(),
  calendar: calendarSchema.nullable(),
  operations: z.record(z.string(), bucketSchema),
});

export const LIMITER = documentFamily(REGISTERS.limiter, pageSchema);
/** The page with a total budget. Every version expects a calendar there, so a page without one has its own register. */
const SHARED = LIMITER.named('shared');
const AUTO = LIMITER.named('auto');

/** The furthest ahead that slots are reserved to make up for a slow store, ms. If the store is slower still, the worker loses slots. */
const MAX_LEAD_MS = 5_000;

/** The share of the lead that is kept after a faster reservation, because the response time of a busy store varies from call to call. */
const LEAD_KEPT = 0.9;

/** The new page and the result, or how long to wait before the next attempt, ms; the wait ends early if the signal aborts. */
export type Change<T> =
  | { readonly page: Page; readonly value: T }
  | { readonly waitMs: number; readonly signal?: AbortSignal };

export interface SharedStateOptions {
  readonly registers: Registers;
  readonly clock: Clock;
  /** The total budget, calls a second; `null`: none. */
  readonly ceiling: number | null;
  readonly check: ClockCheck;
}

/** One process's access to the stored state. */
export class SharedLimiterState {
  readonly #options: SharedStateOptions;
  readonly #register: typeof SHARED;
  #page: Page | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #leadMs = 0;

  constructor(options: SharedStateOptions) {
    this.#options = options;
    this.#register = options.ceiling === null ? AUTO : SHARED;
  }

  /**
   * How long reading and writing the page takes, ms, following the slowest recent reservation. Reservations begin this much later than now, because
   * earlier slots would pass before the write returns.
   */
  get leadMs(): number {
    return this.#leadMs;
  }

  /** Doubles the lead after a reservation whose slots had all lapsed by the time the write returned. */
  lapsedOnArrival(): void {
    this.#leadMs = Math.min(MAX_LEAD_MS, 2 * this.#leadMs + 1);
  }

  /** As this process last saw it. */
  async page(): Promise<Page> {
    return this.#page ?? this.#inTurn(async () => (await this.#read()).page);
  }

  /**
   * Changes the page by compare-and-set until it succeeds. One change at a time, so that a process never loses the race against itself.
   * @throws ClockDifferenceError; what the store throws
   */
  async change<T>(change: (page: Page, now: EpochMs) => Change<T>): Promise<T> {
    for (;;) {
      const done = await this.#inTurn(() => this.#attempt(change));
      if ('value' in done) return done.value;
      await this.#options.clock.sleep(done.waitMs, done.signal);
    }
  }

  async #attempt<T>(change: (page: Page, now: EpochMs) => Change<T>): Promise<Change<T>> {
    const { registers, clock, check } = this.#options;
    for (;;) {
      await check.verify();
      const begun = clock.now();
      const { page, version } = await this.#read();
      const steps = check.steps();
      const now = clock.now();
      const changed = change(page, now);
      if (!('value' in changed)) return changed;
      const next = { ...changed.page, at: now };
      if ((await writeTyped(registers, this.#register, next, version)) === null) continue;
      // The clock was set during the write, so the reserved slots are times of the old clock.
      if (check.steps() !== steps) continue;
      this.#page = next;
      this.#leadMs = Math.min(MAX_LEAD_MS, Math.max(clock.now() - begun, this.#leadMs * LEAD_KEPT));
      return changed;
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    // A failed change does not stop the next one; its caller gets the error.
    this.#turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #read(): Promise<{ page: Page; version: string | null }> {
    const { registers, clock, check, ceiling } = this.#options;
    const asked = clock.now();
    const stored = await readTyped(registers, this.#register);
    if (this.#leadMs === 0) this.#leadMs = Math.min(MAX_LEAD_MS, Math.max(0, 2 * (clock.now() - asked)));
    // This answer also carried the store's time.
    await check.verify();
    let calendar = stored?.value.calendar ?? null;
    if ((stored?.value.at ?? 0) - clock.now() > 2 * MAX_CLOCK_ERROR_MS) {
      // Two clocks within the allowed error are never this far apart. If this clock is right, the other worker's was wrong, and the slots that it
      // reserved in the future are void.
      await check.compare();
      check.refuse();
      calendar = null;
    }
    const now = clock.now();
    const known = Object.entries(stored?.value.operations ?? {}).filter(([, state]) => !isForgotten(state, now));
    const page = {
      at: stored?.value.at ?? now,
      calendar: ceiling === null ? null : calendarAt(calendar, ceiling, now),
      operations: Object.fromEntries(known),
    };
    this.#page = page;
    return { page, version: stored?.version ?? null };
  }
}

/** The stored calendar at `rate`, or a new one. */
export function calendarAt(stored: Calendar | null, rate: number, now: EpochMs): Calendar {
  return stored === null ? newCalendar(rate, now) : withRate(stored, rate, now);
}

/**
 * The current rate of every operation that was called, calls a second, by `service:Operation`, and the total budget as `total` if the workers have one.
 * If the policy changed between a number and `auto`, the state that was written last counts.
 */
export async function bucketRates(registers: Registers): Promise<Record<string, number>> {
  const stored = await Promise.all(
    [SHARED, AUTO].map(async ({ name }) => pageSchema.safeParse((await registers.read(name))?.value).data ?? null),
  );
  const pages = stored.filter((page) => page !== null).sort((a, b) => b.at - a.at);
  const [page] = pages;
  if (page === undefined) return {};
  const rates = Object.entries(page.operations).map(([name, { rate }]) => [name, rate] as const);
  const total = page.calendar === null ? [] : [['total', page.calendar.rate] as const];
  return Object.fromEntries([...rates, ...total].map(([name, rate]) => [name, Math.round(rate * 10) / 10]));
}
