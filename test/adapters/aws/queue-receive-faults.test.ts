import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { account, range, work } from '../../contract/samples.ts';
import { refusal } from './faults.ts';
import {
  aws,
  bench,
  FAILURE,
  failEntries,
  ids,
  proxy,
  receiveAll,
  receiveOne,
  stores,
  useFaultySqs,
  VISIBILITY,
} from './faulty-sqs.ts';

useFaultySqs();

describe('receiving', () => {
  it('waits for the first message up to the given time, and not for more', async () => {
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

  it('receives more than ten in several calls', async () => {
    await stores.queue.send(range(30).map((n) => work(n)));
    const received = await stores.queue.receive(25, VISIBILITY);
    expect(received).toHaveLength(25);
    expect(await stores.queue.receive(0, VISIBILITY)).toEqual([]);
  });

  it('neither delivers nor loses a message of another version that cannot be moved yet', async () => {
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

  it('lists messages that SQS itself moved to the dead letters', async () => {
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

  it('hides a message for at least the requested time, at most twelve hours', async () => {
    await stores.queue.send([work(1)]);
    const delivery = await receiveOne();
    await stores.queue.extend(delivery, 10 ** 9);
    expect(JSON.stringify(proxy.calls.at(-1)?.body)).toContain('"VisibilityTimeout":43200');
    await stores.queue.extend(delivery, 1_001);
    expect(JSON.stringify(proxy.calls.at(-1)?.body)).toContain('"VisibilityTimeout":2');
  });

  it('accepts a receipt from another process, as a Lambda handler receives it', async () => {
    await stores.queue.send([work(1), work(2)]);
    const [one, two] = await stores.queue.receive(2, VISIBILITY);
    if (!one || !two) throw new Error('nothing was visible');
    const lambda = await bench.open();
    await lambda.queue.acknowledge([one]);
    await lambda.queue.release(two, 0);
    expect(await stores.queue.depth()).toEqual({ visible: 1, inFlight: 0, dead: 0 });
  });

  it.each(['InvalidParameterValue', 'ReceiptHandleIsInvalid', 'MessageNotInflight'])(
    'ignores a receipt that SQS rejects with %s',
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

  it('retries a failed acknowledgement', async () => {
    await stores.queue.send(range(12).map((n) => work(n)));
    const all = await receiveAll();
    failEntries('DeleteMessageBatch', (id, call) => (id === '0' && call < 3 ? 'InternalError' : null));
    await stores.queue.acknowledge(all);
    proxy.decide = () => undefined;
    expect(await stores.queue.depth()).toEqual({ visible: 0, inFlight: 0, dead: 0 });
  });
});
