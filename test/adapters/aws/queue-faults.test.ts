import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { MAX_MESSAGE_BYTES } from '../../../shared/adapters/aws/sqs/queue-check.ts';
import type { AwsStores } from '../../../shared/adapters/aws/store.ts';
import type { Delivery } from '../../../shared/ports/queue.ts';
import { account, range, work } from '../../contract/samples.ts';
import { type FaultProxy, refusal, startFaultProxy } from './faults.ts';
import { type Bench, makeBench, type PretendAws, startPretendAws } from './stores.ts';

let aws: PretendAws;
let bench: Bench;
let proxy: FaultProxy;
let stores: AwsStores;
let slept: number[];
beforeAll(async () => {
  aws = await startPretendAws();
});
afterAll(() => aws.close());
beforeEach(async () => {
  bench = await makeBench(aws);
  proxy = await startFaultProxy(aws.sqs.endpoint);
  slept = [];
  // Pauses between attempts end at once; the queue's own time is the bench's.
  const clock = { now: bench.clock.now, sleep: async (ms: number) => void slept.push(ms) };
  stores = await bench.open({ clock, random: () => 0.5, sqs: { ...aws.sqs, endpoint: proxy.endpoint }, check: false });
});
afterEach(async () => {
  await bench.dispose();
  await proxy.close();
});

const VISIBILITY = 30_000;
const FAILURE = { code: 'Denied', message: 'the role cannot be assumed', entryId: 'entry-1' };
const batchSchema = z.object({ QueueUrl: z.string(), Entries: z.array(z.looseObject({ Id: z.string() })) });

/** Each entry of a batch call may fail on its own, as `fail` says; the others are carried out. */
function failEntries(operation: string, fail: (id: string, call: number) => string | null, senderFault = false): void {
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

async function receiveAll(): Promise<readonly Delivery[]> {
  const all: Delivery[] = [];
  for (;;) {
    const some = await stores.queue.receive(10, VISIBILITY);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

const ids = (deliveries: readonly Delivery[]) =>
  deliveries.map(({ message }) => (message.kind === 'account' ? message.accountId : message.kind)).sort();

describe('answers of 200 that lack what SQS always gives', () => {
  it.each([
    {},
    { Successful: [] },
    { Failed: [] },
    { Successful: [{ Id: 'other', MessageId: 'm', MD5OfMessageBody: 'x' }] },
  ])('a message without a result was not sent: %j', async (body) => {
    let left = 2;
    proxy.decide = ({ operation }) => {
      if (operation !== 'SendMessageBatch' || left === 0) return undefined;
      left -= 1;
      return { kind: 'answer', status: 200, body };
    };
    await stores.queue.send([work(1)]);
    expect(proxy.count('SendMessageBatch')).toBe(3);
    expect(await receiveAll()).toHaveLength(1);
  });

  it.each([{}, { Attributes: null }, { Attributes: {} }])('an unknown depth is not zero: %j', async (body) => {
    await stores.queue.send([work(1)]);
    proxy.decide = ({ operation }) =>
      operation === 'GetQueueAttributes' ? { kind: 'answer', status: 200, body } : undefined;
    await expect(stores.queue.depth()).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

async function receiveOne(): Promise<Delivery> {
  const [delivery] = await stores.queue.receive(1, VISIBILITY);
  if (delivery === undefined) throw new Error('nothing was visible');
  return delivery;
}

describe('sending', () => {
  it('goes ten at a time', async () => {
    await stores.queue.send(range(35).map((n) => work(n)));
    expect(proxy.count('SendMessageBatch')).toBe(4);
    expect(ids(await receiveAll())).toEqual(range(35).map(account));
  });

  it('sends again the entries that failed on the service’s side, and only those', async () => {
    failEntries('SendMessageBatch', (id, call) => (Number(id) % 3 === call % 3 && call < 4 ? 'InternalError' : null));
    await stores.queue.send(range(10).map((n) => work(n)));
    proxy.decide = () => undefined;
    expect(ids(await receiveAll())).toEqual(range(10).map(account));
    expect(slept.length).toBeGreaterThan(0);
  });

  it('throws when an entry is refused for good, or again and again, and all may be sent again', async () => {
    failEntries('SendMessageBatch', (id) => (id === '1' ? 'InvalidMessageContents' : null), true);
    const messages = range(3).map((n) => work(n));
    await expect(stores.queue.send(messages)).rejects.toMatchObject({ name: 'StoreError', code: 'Rejected' });
    expect(proxy.count('SendMessageBatch')).toBe(1);
    failEntries('SendMessageBatch', (id) => (id === '0' ? 'RequestThrottled' : null));
    await expect(stores.queue.send(messages)).rejects.toMatchObject({ code: 'Unavailable' });
    proxy.decide = () => undefined;
    await stores.queue.send(messages);
    expect(new Set(ids(await receiveAll()))).toEqual(new Set(range(3).map(account)));
  });

  it.each(['RequestThrottled', 'ThrottlingException', 'ServiceUnavailable', 'InternalFailure'])(
    'waits out %s of the whole call',
    async (code) => {
      let left = 2;
      proxy.decide = ({ operation }) => {
        left -= operation === 'SendMessageBatch' ? 1 : 0;
        return operation === 'SendMessageBatch' && left >= 0 ? refusal(code, 503) : undefined;
      };
      await stores.queue.send([work(1)]);
      expect(slept).toEqual([25, 50]);
      expect(ids(await receiveAll())).toEqual([account(1)]);
    },
  );

  it('refuses a message that is too large before anything is sent', async () => {
    const large = work(2, { policyHash: 'x'.repeat(MAX_MESSAGE_BYTES) });
    await expect(stores.queue.send([work(1), large])).rejects.toMatchObject({ code: 'TooLarge' });
    expect(proxy.calls).toEqual([]);
  });

  it('keeps the bytes of a call below the limit', async () => {
    const sent = range(20).map((n) => work(n, { policyHash: 'x'.repeat(60_000) }));
    await stores.queue.send(sent);
    for (const { operation, body } of proxy.calls) {
      if (operation === 'SendMessageBatch') expect(JSON.stringify(body).length).toBeLessThan(270_000);
    }
    expect(ids(await receiveAll())).toEqual(range(20).map(account));
  });

  it('carries any text', async () => {
    const message = work(1, { runId: 'ü \u0000 🚀 \u007f \uffff', policyHash: '' });
    await stores.queue.send([message]);
    expect((await receiveOne()).message).toEqual(message);
  });
});

describe('receiving', () => {
  it('waits for a message as long as it was told to, and no longer than for the first', async () => {
    const patient = await bench.open({ receiveWaitSeconds: 1, sqs: { ...aws.sqs, endpoint: proxy.endpoint } });
    const waiting = patient.queue.receive(10, VISIBILITY);
    await stores.queue.send([work(1)]);
    expect(ids(await waiting)).toEqual([account(1)]);
    const waits = proxy.calls
      .filter(({ operation }) => operation === 'ReceiveMessage')
      .map(({ body }) => body['WaitTimeSeconds']);
    expect(waits).toEqual([1]);
    expect(await stores.queue.receive(1, VISIBILITY)).toEqual([]);
    expect(proxy.calls.at(-1)?.body['WaitTimeSeconds']).toBe(0);
  });

  it('asks for more than ten in several calls', async () => {
    await stores.queue.send(range(30).map((n) => work(n)));
    const received = await stores.queue.receive(25, VISIBILITY);
    expect(received).toHaveLength(25);
    expect(await stores.queue.receive(0, VISIBILITY)).toEqual([]);
  });

  it('a message of another version that cannot be moved yet is neither delivered nor lost', async () => {
    const body = JSON.stringify({ ...work(1), v: 2 });
    await aws.queues.send(new SendMessageCommand({ QueueUrl: bench.queueUrl, MessageBody: body }));
    proxy.decide = ({ operation }) => (operation === 'SendMessageBatch' ? refusal('AccessDenied', 403) : undefined);
    await expect(stores.queue.receive(10, VISIBILITY)).rejects.toMatchObject({ code: 'Denied' });
    proxy.decide = () => undefined;
    await bench.clock.advance(VISIBILITY);
    expect(await stores.queue.receive(10, VISIBILITY)).toEqual([]);
    expect(await stores.deadLetters.list(10)).toMatchObject([
      { body, message: null, reason: { code: 'UnreadableMessage' } },
    ]);
  });

  it('what SQS itself moves to the dead letters is listed as such', async () => {
    await stores.queue.send([work(1)]);
    for (let receives = 1; receives <= 20; receives += 1) {
      expect((await receiveOne()).receives).toBe(receives);
      await bench.clock.advance(VISIBILITY);
    }
    expect(await stores.queue.receive(1, VISIBILITY)).toEqual([]);
    const [letter] = await stores.deadLetters.list(10);
    expect(letter).toMatchObject({ message: work(1), reason: { code: 'TooManyReceives', entryId: null } });
    expect(await stores.deadLetters.redrive([letter?.id ?? ''])).toEqual([letter?.id]);
    expect((await receiveOne()).message).toEqual(work(1));
  });

  it('hides a message for at most twelve hours, and no less than it was asked for', async () => {
    await stores.queue.send([work(1)]);
    const delivery = await receiveOne();
    await stores.queue.extend(delivery, 10 ** 9);
    expect(JSON.stringify(proxy.calls.at(-1)?.body)).toContain('"VisibilityTimeout":43200');
    await stores.queue.extend(delivery, 1_001);
    expect(JSON.stringify(proxy.calls.at(-1)?.body)).toContain('"VisibilityTimeout":2');
  });

  it('takes a receipt that another process was given, as a Lambda’s handler gets it', async () => {
    await stores.queue.send([work(1), work(2)]);
    const [one, two] = await stores.queue.receive(2, VISIBILITY);
    if (!one || !two) throw new Error('nothing was visible');
    const lambda = await bench.open();
    await lambda.queue.acknowledge([one]);
    await lambda.queue.release(two, 0);
    expect(await stores.queue.depth()).toEqual({ visible: 1, inFlight: 0, dead: 0 });
  });

  it.each(['InvalidParameterValue', 'ReceiptHandleIsInvalid', 'MessageNotInflight'])(
    'a receipt that SQS refuses with %s does nothing',
    async (code) => {
      await stores.queue.send([work(1)]);
      const delivery = await receiveOne();
      failEntries('ChangeMessageVisibilityBatch', () => code, true);
      await stores.queue.extend(delivery, VISIBILITY);
      await stores.queue.deadLetter(delivery, FAILURE);
      await stores.queue.release(delivery, 0);
      proxy.decide = () => undefined;
      expect(await stores.deadLetters.list(10)).toEqual([]);
    },
  );

  it('an acknowledgement is repeated where it failed', async () => {
    await stores.queue.send(range(12).map((n) => work(n)));
    const all = await receiveAll();
    failEntries('DeleteMessageBatch', (id, call) => (id === '0' && call < 3 ? 'InternalError' : null));
    await stores.queue.acknowledge(all);
    proxy.decide = () => undefined;
    expect(await stores.queue.depth()).toEqual({ visible: 0, inFlight: 0, dead: 0 });
  });
});

describe('dead letters', () => {
  it('a crash between the two steps leaves the message in both places, never in none', async () => {
    await stores.queue.send([work(1)]);
    const delivery = await receiveOne();
    proxy.decide = ({ operation }) => (operation === 'DeleteMessageBatch' ? refusal('AccessDenied', 403) : undefined);
    await expect(stores.queue.deadLetter(delivery, FAILURE)).rejects.toMatchObject({ code: 'Denied' });
    proxy.decide = () => undefined;
    expect(await stores.deadLetters.list(10)).toMatchObject([{ message: work(1), reason: FAILURE }]);
    await bench.clock.advance(60_000);
    expect((await receiveOne()).message).toEqual(work(1));
  });

  it('a crash before the first step leaves the message on the queue', async () => {
    await stores.queue.send([work(1)]);
    const delivery = await receiveOne();
    proxy.decide = ({ operation }) => (operation === 'SendMessageBatch' ? refusal('AccessDenied', 403) : undefined);
    await expect(stores.queue.deadLetter(delivery, FAILURE)).rejects.toMatchObject({ code: 'Denied' });
    proxy.decide = () => undefined;
    expect(await stores.deadLetters.list(10)).toEqual([]);
    await bench.clock.advance(60_000);
    expect((await receiveOne()).message).toEqual(work(1));
  });

  it('keep any reason, shortened where SQS has no room', async () => {
    await stores.queue.send([work(1), work(2)]);
    const [one, two] = await stores.queue.receive(2, VISIBILITY);
    if (!one || !two) throw new Error('nothing was visible');
    await stores.queue.deadLetter(one, { code: '', message: '', entryId: null });
    await stores.queue.deadLetter(two, { code: 'X', message: `a\u0000b\ud800c ${'ü'.repeat(5_000)}`, entryId: 'e' });
    const reasons = (await stores.deadLetters.list(10))
      .map(({ reason }) => reason)
      .sort((a, b) => (a.code < b.code ? -1 : 1));
    expect(reasons[0]).toEqual({ code: 'Unknown', message: '', entryId: null });
    expect(reasons[1]?.message).toMatch(/^a\ufffdb\ufffdc ü+$/);
    expect(reasons[1]?.message).toHaveLength(1_000);
  });

  it('a redrive that dies in between leaves the letter, and nothing is lost', async () => {
    await stores.queue.send([work(1)]);
    await stores.queue.deadLetter(await receiveOne(), FAILURE);
    const [letter] = await stores.deadLetters.list(1);
    proxy.decide = ({ operation }) => (operation === 'DeleteMessageBatch' ? refusal('AccessDenied', 403) : undefined);
    await expect(stores.deadLetters.redrive([letter?.id ?? ''])).rejects.toMatchObject({ code: 'Denied' });
    proxy.decide = () => undefined;
    expect(await stores.deadLetters.list(10)).toHaveLength(1);
    expect((await receiveOne()).message).toEqual(work(1));
  });

  it('are waited for while somebody else looks at them, but not for ever', async () => {
    for (const body of ['one', 'two']) {
      await aws.queues.send(new SendMessageCommand({ QueueUrl: bench.dlqUrl, MessageBody: body }));
    }
    let empty = 3;
    proxy.decide = ({ operation }) => {
      if (operation !== 'ReceiveMessage' || empty === 0) return undefined;
      empty -= 1;
      return { kind: 'answer', status: 200, body: {} };
    };
    expect(await stores.deadLetters.list(10)).toHaveLength(2);
    expect(empty).toBe(0);
    empty = Number.POSITIVE_INFINITY;
    expect(await stores.deadLetters.list(10)).toEqual([]);
    proxy.decide = () => undefined;
    expect(await stores.deadLetters.list(10)).toHaveLength(2);
  });

  it('many are found whatever is asked for', async () => {
    await stores.queue.send(range(45).map((n) => work(n)));
    for (const delivery of await receiveAll()) await stores.queue.deadLetter(delivery, FAILURE);
    const letters = await stores.deadLetters.list(100);
    expect(letters).toHaveLength(45);
    const last = letters.at(-1);
    expect(await stores.deadLetters.show(last?.id ?? '')).toEqual(last);
    const some = letters.filter((_, n) => n % 2 === 0).map(({ id }) => id);
    expect([...(await stores.deadLetters.redrive(some))].sort()).toEqual([...some].sort());
    expect(await stores.queue.depth()).toEqual({ visible: 23, inFlight: 0, dead: 22 });
  });
});
