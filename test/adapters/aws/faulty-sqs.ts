import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import * as z from 'zod';
import type { AwsStores } from '../../../shared/adapters/aws/store.ts';
import type { Delivery } from '../../../shared/ports/queue.ts';
import { type FaultProxy, startFaultProxy } from './faults.ts';
import { type Bench, makeBench, type SimulatedAws, startSimulatedAws } from './stores.ts';

export let aws: SimulatedAws;
export let bench: Bench;
export let proxy: FaultProxy;
export let stores: AwsStores;
export let slept: number[];
export const VISIBILITY = 30_000;
export const FAILURE = { code: 'Denied', message: 'the role cannot be assumed', entryId: 'entry-1' };
const batchSchema = z.object({ QueueUrl: z.string(), Entries: z.array(z.looseObject({ Id: z.string() })) });

/** `fail` returns the error code of an entry of a batch call, or `null` to execute it. */
export function failEntries(
  operation: string,
  fail: (id: string, call: number) => string | null,
  senderFault = false,
): void {
  let calls = 0;
  proxy.decide = (call) => {
    if (call.operation !== operation) return undefined;
    calls += 1;
    const { Entries, ...rest } = batchSchema.loose().parse(call.body);
    const codes = new Map(Entries.map(({ Id }) => [Id, fail(Id, calls)]));
    const Failed = [...codes].flatMap(([Id, Code]) =>
      Code === null ? [] : [{ Id, Code, SenderFault: senderFault, Message: 'as the test wants it' }],
    );
    const some = Entries.filter(({ Id }) => codes.get(Id) === null);
    if (some.length === 0) return { kind: 'answer', status: 200, body: { Successful: [], Failed } };
    return { kind: 'pass', body: { ...rest, Entries: some }, change: (answer) => ({ ...answer, Failed }) };
  };
}

export async function receiveAll(): Promise<readonly Delivery[]> {
  const all: Delivery[] = [];
  for (;;) {
    const some = await stores.queue.receive(10, VISIBILITY);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

export const ids = (deliveries: readonly Delivery[]) =>
  deliveries.map(({ message }) => (message.kind === 'account' ? message.accountId : message.kind)).sort();

export async function receiveOne(): Promise<Delivery> {
  const [delivery] = await stores.queue.receive(1, VISIBILITY);
  if (delivery === undefined) throw new Error('nothing was visible');
  return delivery;
}

/** Registers set-up and clean-up for every test of the calling file. */
export function useFaultySqs(): void {
  beforeAll(async () => {
    aws = await startSimulatedAws();
  });
  afterAll(() => aws.close());
  beforeEach(async () => {
    bench = await makeBench(aws);
    proxy = await startFaultProxy(aws.sqs.endpoint);
    slept = [];
    // Pauses between attempts end immediately; the queue follows the clock of the bench.
    const clock = { now: bench.clock.now, sleep: async (ms: number) => void slept.push(ms) };
    stores = await bench.open({
      clock,
      random: () => 0.5,
      sqs: { ...aws.sqs, endpoint: proxy.endpoint },
      check: false,
    });
  });
  afterEach(async () => {
    await bench.dispose();
    await proxy.close();
  });
}
