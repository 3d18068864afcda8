import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { Clock } from '../../ports/system.ts';
import { storeError } from './store-errors.ts';

const dated = z.object({ headers: z.object({ date: z.string() }) });

/** What the answers of a client say of the time: every one of AWS's has its `Date`, to the second. */
export class ServerTimes {
  #aheadMs: number | null = null;

  constructor(client: DynamoDBClient, clock: Pick<Clock, 'now'>) {
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const answer = dated.safeParse(result.response);
        const at = answer.success ? Date.parse(answer.data.headers.date) : Number.NaN;
        if (!Number.isNaN(at)) this.#aheadMs = clock.now() - at;
        return result;
      },
      { step: 'deserialize', priority: 'low', name: 'serverTimes', override: true },
    );
  }

  /** How far our clock was ahead at the last answer, ms; below zero if it was behind; `null` if none said. */
  get aheadMs(): number | null {
    return this.#aheadMs;
  }
}

/** @throws AwsStoreError `ClockSkew` */
export function refuseSkew(aheadMs: number | null, maxMs: number): void {
  if (aheadMs === null || Math.abs(aheadMs) <= maxMs) return;
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const found = `it is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} AWS's, and ${maxMs / 1000} s are possible`;
  const remedy = 'Workers go by their clocks in leases and claims: set it (NTP), and start again.';
  throw storeError('ClockSkew', "this machine's clock", found, remedy);
}
