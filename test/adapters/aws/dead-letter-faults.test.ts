import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { range, work } from '../../contract/samples.ts';
import { refusal } from './faults.ts';
import { aws, bench, FAILURE, proxy, receiveAll, receiveOne, stores, useFaultySqs, VISIBILITY } from './faulty-sqs.ts';

useFaultySqs();

describe('dead letters', () => {
  it('a crash between the two steps leaves the message in both places', async () => {
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

  it('keep any reason, shortened to fit into SQS', async () => {
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

  it('a crash during a redrive keeps the letter, so nothing is lost', async () => {
    await stores.queue.send([work(1)]);
    await stores.queue.deadLetter(await receiveOne(), FAILURE);
    const [letter] = await stores.deadLetters.list(1);
    proxy.decide = ({ operation }) => (operation === 'DeleteMessageBatch' ? refusal('AccessDenied', 403) : undefined);
    await expect(stores.deadLetters.redrive([letter?.id ?? ''])).rejects.toMatchObject({ code: 'Denied' });
    proxy.decide = () => undefined;
    expect(await stores.deadLetters.list(10)).toHaveLength(1);
    expect((await receiveOne()).message).toEqual(work(1));
  });

  it('are awaited for a limited time while another reader holds them', async () => {
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

  it('finds many letters for any limit', async () => {
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
