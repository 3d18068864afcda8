import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { Registers } from '../../../ports/registers.ts';
import type { StoreTime, TimeReading } from '../../../ports/store-time.ts';
import type { Monotonic } from '../../../ports/system.ts';
import { storeError } from '../store-errors.ts';

const dated = z.object({ headers: z.object({ date: z.string() }) });

/** How far the server's time may be after its `Date` header, ms: the header has whole seconds, and the server may update it a little late. */
const DATE_LAG_MS = 1_000 + 20;

/** Reads the server's time from the `Date` header of a client's answers. */
export class ServerTimes {
  readonly #listeners: ((reading: TimeReading) => void)[] = [];
  #last: TimeReading | null = null;

  constructor(client: DynamoDBClient, monotonic: Monotonic) {
    client.middlewareStack.add(
      (next) => async (args) => {
        const askedAt = monotonic();
        const result = await next(args);
        const answer = dated.safeParse(result.response);
        const date = answer.success ? Date.parse(answer.data.headers.date) : Number.NaN;
        if (!Number.isNaN(date)) {
          this.#publish({ askedAt, answeredAt: monotonic(), earliest: date, latest: date + DATE_LAG_MS });
        }
        return result;
      },
      { step: 'deserialize', priority: 'low', name: 'serverTimes', override: true },
    );
  }

  /** The reading of the last answer; `null` before the first answer with a date. */
  get last(): TimeReading | null {
    return this.#last;
  }

  follow(listener: (reading: TimeReading) => void): void {
    this.#listeners.push(listener);
  }

  #publish(reading: TimeReading): void {
    this.#last = reading;
    for (const listener of this.#listeners) listener(reading);
  }
}

/** No register has this name. Reading a missing item is the cheapest read. */
const NOT_THERE = 'no-register';

/** The clock of the table in which `registers` are stored. @param times reads the answers of that table's client */
export function serverTime(times: ServerTimes, registers: Registers): StoreTime {
  return {
    async read() {
      const before = times.last;
      await registers.read(NOT_THERE);
      return times.last === before ? null : times.last;
    },
    follow: (listener) => times.follow(listener),
  };
}

/**
 * @param aheadMs how far this machine's clock is ahead of the server's, ms; negative if behind; `null`: unknown
 * @throws StoreError `ClockSkew`
 */
export function refuseSkew(aheadMs: number | null, maxMs: number): void {
  if (aheadMs === null || Math.abs(aheadMs) <= maxMs) return;
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const found = `it is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} AWS's clock; the maximum is ${maxMs / 1000} s`;
  const remedy = 'Leases and claims depend on the clock: synchronize it (NTP) and start again.';
  throw storeError('ClockSkew', "this machine's clock", found, remedy);
}
