import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll } from 'vitest';
import type { AwsStores } from '../../../shared/adapters/aws/store.ts';
import type { Subject } from '../../contract/contract.ts';
import { ledgerContract } from '../../contract/ledger.contract.ts';
import { queueContract } from '../../contract/queue.contract.ts';
import { queueLanesContract } from '../../contract/queue-lanes.contract.ts';
import { recordsContract } from '../../contract/records.contract.ts';
import { registersContract } from '../../contract/registers.contract.ts';
import { factsContract } from '../../contract/snapshot-store.contract.ts';
import { storeTimeContract } from '../../contract/store-time.contract.ts';
import { spyOn } from './spy.ts';
import { type Bench, makeBench, type SimulatedAws, startSimulatedAws } from './stores.ts';

let aws: SimulatedAws;
beforeAll(async () => {
  aws = await startSimulatedAws();
});
afterAll(() => aws.close());

/** Stores on a new table and new queues; `pick` selects the port under test. */
function subject<Port>(pick: (stores: AwsStores, bench: Bench) => Port): () => Promise<Subject<Port>> {
  return async () => {
    const bench = await makeBench(aws);
    const port = pick(await bench.open(), bench);
    const another = async () => pick(await bench.open(), bench);
    return { port, another, clock: bench.clock, close: () => bench.dispose() };
  };
}

async function putRaw({ queueUrl }: Bench, body: string): Promise<void> {
  await aws.queues.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
}

ledgerContract(
  'aws',
  subject((stores) => stores.ledger),
);
recordsContract(
  'aws',
  subject((stores) => stores.records),
);
registersContract(
  'aws',
  subject((stores) => stores.registers),
);
factsContract(
  'aws',
  subject((stores) => stores.snapshots),
);
queueContract(
  'aws',
  subject(({ queue, deadLetters }, bench) => ({ queue, deadLetters, putRaw: (body) => putRaw(bench, body) })),
);
queueLanesContract(
  'aws',
  subject(({ queue, deadLetters }, bench) => ({ queue, deadLetters, putRaw: (body) => putRaw(bench, body) })),
);
storeTimeContract('aws', async () => {
  const bench = await makeBench(aws);
  const spy = await spyOn(aws.dynamodb.endpoint);
  const stores = await bench.open({ dynamodb: { ...aws.dynamodb, endpoint: spy.endpoint } });
  const port = {
    ...{ time: stores.time, registers: stores.registers, monotonic: () => performance.now() },
    answers: true,
    // Tests stop `Date`, but the clock of the server continues.
    trueTime: () => performance.timeOrigin + performance.now(),
    writes: () => {
      const { operations } = spy.seen();
      return Object.entries(operations).reduce(
        (sum, [name, count]) => sum + (/Put|Update|Delete|Write/.test(name) ? count : 0),
        0,
      );
    },
  };
  const close = async () => {
    await bench.dispose();
    await spy.close();
  };
  return { port, another: async () => port, clock: bench.clock, close };
});
