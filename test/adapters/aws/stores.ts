import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { vi } from 'vitest';
import { createTableInput } from '../../../shared/adapters/aws/dynamodb/schema.ts';
import { type AwsStores, type AwsStoresOptions, openAwsStores } from '../../../shared/adapters/aws/store.ts';
import { makeNewId } from '../../../shared/adapters/system/ids.ts';
import type { Clock } from '../../../shared/ports/system.ts';
import { buildFairQueues } from '../../support/fair-queues.ts';
import { HOST } from '../../support/host.ts';
import { MANUAL_CLOCK_START, type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { makeQueues } from './queues.ts';

export { makeQueues } from './queues.ts';

/** The settings of a client of either service. */
interface Settings {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const ACCESS = { region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

/** Third-party simulations of DynamoDB and SQS in this process, on free ports. */
export interface SimulatedAws {
  readonly dynamodb: Settings;
  readonly sqs: Settings;
  /** Sets `Date`, which the queue uses, to the time of the clock. */
  follow(clock: ManualClock): ManualClock;
  /** A client for direct access, past the adapters. */
  readonly table: DynamoDBClient;
  readonly queues: SQSClient;
  close(): Promise<void>;
}

export async function startSimulatedAws(): Promise<SimulatedAws> {
  const dynamo = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  // On a busy machine, a process may pause for longer than an idle connection lives. Tests do not cover that.
  dynamo.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => dynamo.listen(0, '127.0.0.1', resolve));
  const { app, sqsStore } = buildFairQueues();
  const sqsEndpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  const dynamodb = { ...ACCESS, endpoint: `http://127.0.0.1:${portOf(dynamo.address())}` };
  const sqs = { ...ACCESS, endpoint: sqsEndpoint };
  const table = new DynamoDBClient(dynamodb);
  const queues = new SQSClient(sqs);
  return {
    dynamodb,
    sqs,
    table,
    queues,
    follow(clock) {
      vi.useFakeTimers({ toFake: ['Date'], now: clock.now() });
      return {
        ...{ now: clock.now, sleep: clock.sleep, advanceToNext: clock.advanceToNext, sleeping: clock.sleeping },
        async advance(ms) {
          await clock.advance(ms);
          vi.setSystemTime(clock.now());
          sqsStore.processAllTimers();
        },
      };
    },
    async close() {
      vi.useRealTimers();
      table.destroy();
      queues.destroy();
      await app.close();
      await new Promise((resolve) => dynamo.close(resolve));
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}

/** A new table and new queues, and all stores opened on them. */
export interface Bench {
  readonly clock: ManualClock;
  readonly table: string;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  open(options?: Partial<AwsStoresOptions>): Promise<AwsStores>;
  dispose(): Promise<void>;
}

let made = 0;

export async function makeBench(aws: SimulatedAws): Promise<Bench> {
  made += 1;
  const clock = aws.follow(manualClock());
  const table = `table-${made}`;
  await aws.table.send(new CreateTableCommand(createTableInput(table)));
  const { queueUrl, dlqUrl } = await makeQueues(aws.queues, `queue-${made}`);
  const opened: AwsStores[] = [];
  const newId = makeNewId(clock);
  return {
    clock,
    table,
    queueUrl,
    dlqUrl,
    async open(options = {}) {
      const stores = await openAwsStores({
        ...HOST,
        ...{ table, queueUrl, dlqUrl, clock, newId, random: () => 0, dynamodb: aws.dynamodb, sqs: aws.sqs },
        deadLetterWaitSeconds: 0,
        ...options,
      });
      opened.push(stores);
      return stores;
    },
    async dispose() {
      for (const stores of opened) await stores.close();
    },
  };
}

/** A clock whose sleeps end immediately and move its time forward. */
export function immediateClock(start = MANUAL_CLOCK_START): Clock & { readonly slept: number[] } {
  let now = start;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    async sleep(ms) {
      slept.push(ms);
      now += ms;
    },
  };
}
