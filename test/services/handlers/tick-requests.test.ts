import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it, onTestFinished } from 'vitest';
import { startFaultProxy } from '../../adapters/aws/faults.ts';
import { type Meter, startMeter } from '../../infra/meter.ts';
import { startDeployment } from './deployment.ts';
import { functionsOf } from './functions.ts';

const MINUTE = 60_000;
/** Half a unit for each of 16 shards of due keys and 8 shards of unpublished entries, 4 registers, and the policy in force for the schedule and for the keys. */
const IDLE_READS = 12 + 4 + 2;

/** A deployment after its first scan, with counters of DynamoDB's read units and of the requests to SQS. */
async function counted() {
  let meter: Meter | null = null;
  let queue: Awaited<ReturnType<typeof startFaultProxy>> | null = null;
  const { deployment, close } = await startDeployment({
    sandbox: { accounts: 4, drift: 0 },
    // A tick on a busy machine must not take minutes of simulated time.
    speed: 1,
    doors: {
      table: async (endpoint) => (meter = await startMeter(endpoint)),
      queue: async (endpoint) => (queue = await startFaultProxy(endpoint)),
    },
  });
  onTestFinished(close);
  deployment.writePolicy({ more: 'retention: 30d' });
  // Neither the next scan nor the next day begins during the test.
  deployment.clock.advanceTo(Math.ceil(deployment.clock.now() / (24 * 60 * MINUTE)) * 24 * 60 * MINUTE + MINUTE);
  const functions = functionsOf(deployment);
  await functions.tick();
  await functions.scan();
  const used = () => ({ reads: meter?.units.reads ?? 0, queue: queue?.calls.length ?? 0 });
  /** The requests of one tick, a minute after the last. */
  const tick = async (run = functions.tick) => {
    deployment.clock.advance(MINUTE);
    const before = used();
    const result = await run();
    const after = used();
    return { result, reads: after.reads - before.reads, queue: after.queue - before.queue };
  };
  return { deployment, tick };
}

it('an idle tick reads only the schedule, the controls, due keys and unpublished entries; the rest follows every five minutes', async () => {
  const { tick } = await counted();
  // Publishes the entries of the scan and the digest.
  for (let published = 1; published > 0; ) ({ published } = (await tick()).result);
  while ((await tick()).queue === 0);
  const ticks: Awaited<ReturnType<typeof tick>>[] = [];
  for (let n = 0; n < 5; n += 1) ticks.push(await tick());
  const isIdle = ({ reads, queue }: (typeof ticks)[number]): boolean => reads === IDLE_READS && queue === 0;
  // A slow machine may run the others twice.
  expect(ticks.filter(isIdle).length).toBeGreaterThanOrEqual(2);
  for (const { reads, queue } of ticks) {
    expect(reads).toBeGreaterThanOrEqual(IDLE_READS);
    // Exemptions, run stops, digest, retention, and the log with 33 parts of an index; and both queues.
    expect(reads).toBeLessThanOrEqual(IDLE_READS + 4 + 25);
    expect([0, 2]).toContain(queue);
  }
});

it('a dead letter that SQS moved is recorded within five minutes, and immediately by a new container', async () => {
  const { deployment, tick } = await counted();
  while ((await tick()).queue === 0);
  const QueueUrl = deployment.env['ROLLCALL_DLQ_URL'];
  await deployment.queues.send(new SendMessageCommand({ QueueUrl, MessageBody: 'whatever' }));
  const recorded: number[] = [];
  for (let n = 0; n < 5; n += 1) recorded.push((await tick()).result.deadLettersRecorded);
  // The fifth tick records it, or an earlier one on a slow machine.
  expect(recorded.slice(0, 2)).toEqual([0, 0]);
  expect(recorded.filter((count) => count === 1)).toHaveLength(1);
  await deployment.queues.send(new SendMessageCommand({ QueueUrl, MessageBody: 'another' }));
  const other = functionsOf(deployment);
  expect((await tick(other.tick)).result.deadLettersRecorded).toBe(1);
});

it('the digest of a day is written by its first tick', async () => {
  const { deployment, tick } = await counted();
  while ((await tick()).result.digest === null);
  for (let n = 0; n < 3; n += 1) expect((await tick()).result.digest).toBeNull();
  const day = 24 * 60 * MINUTE;
  deployment.clock.advanceTo(Math.ceil(deployment.clock.now() / day) * day - MINUTE);
  expect((await tick()).result.digest).not.toBeNull();
});
