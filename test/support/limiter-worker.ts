import { createInterface } from 'node:readline';
import * as z from 'zod';
import { openAwsStores } from '../../shared/adapters/aws/store.ts';
import { systemClock } from '../../shared/adapters/system/clock.ts';
import { makeNewId } from '../../shared/adapters/system/ids.ts';
import { createLimiter } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { MeteredCall } from '../../shared/ports/cloud.ts';
import type { StoreTime } from '../../shared/ports/store-time.ts';
import type { Clock } from '../../shared/ports/system.ts';
import { HOST } from './host.ts';

/*
 * A process that calls as often as the shared limiter permits, over a real table but in the time of its parent. Its only argument is JSON. It prints
 * `{"called":T}` for each call and `{"sleeps":T}` when it waits for the time T; each line on stdin is the new time. Times are ms from the start.
 */

const KEY: MeteredCall = { service: 'compute-optimizer', operation: 'UpdateEnrollmentStatus', meteredIn: 'member' };
/** 2026-03-01T12:00:00.000Z */
const START = 1_772_366_400_000;

const { endpoint, table, rate, reserveMs } = z
  .object({ endpoint: z.string(), table: z.string(), rate: z.number(), reserveMs: z.number() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const access = { region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

let time = 0;
/** There is one lane, so at most one sleeper. */
let sleeper: { readonly until: number; readonly wake: () => void } | null = null;
const clock: Clock = {
  now: () => START + time,
  sleep: (ms) =>
    new Promise((wake) => {
      const until = time + ms;
      if (until <= time) return wake();
      sleeper = { until, wake };
      say({ sleeps: until });
    }),
};
createInterface({ input: process.stdin }).on('line', (line) => {
  time = Number(line);
  if (sleeper === null) throw new Error('the time moved although this process was not waiting');
  if (sleeper.until > time) return say({ sleeps: sleeper.until });
  const { wake } = sleeper;
  sleeper = null;
  wake();
});
/** The table's own clock shows real time, so the parent's time stands in for it. */
const storeTime: StoreTime = {
  read: async () => ({ askedAt: time, answeredAt: time, earliest: clock.now(), latest: clock.now() }),
  follow: () => undefined,
};

const { registers } = await openAwsStores({
  ...HOST,
  ...{ table, queueUrl: 'none', dlqUrl: 'none', check: false },
  ...{ clock: systemClock, newId: makeNewId(systemClock) },
  dynamodb: { ...access, endpoint },
  sqs: access,
});
const limiter = createLimiter({ registers, clock, monotonic: () => time, storeTime, ceiling: rate, reserveMs });
for (;;) {
  const leave = await limiter.acquire(KEY);
  say({ called: time });
  limiter.report(KEY, 'ok', leave);
}
