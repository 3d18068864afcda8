import { describe, expect, it } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../../shared/adapters/aws/sqs/queue-check.ts';
import { account, range, work } from '../../contract/samples.ts';
import { refusal } from './faults.ts';
import { failEntries, ids, proxy, receiveAll, receiveOne, slept, stores, useFaultySqs } from './faulty-sqs.ts';

useFaultySqs();

describe('200 answers without a mandatory field of SQS', () => {
  it.each([
    {},
    { Successful: [] },
    { Failed: [] },
    { Successful: [{ Id: 'other', MessageId: 'm', MD5OfMessageBody: 'x' }] },
  ])('a message without a result counts as not sent: %j', async (body) => {
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

describe('sending', () => {
  it('sends ten messages per call', async () => {
    await stores.queue.send(range(35).map((n) => work(n)));
    expect(proxy.count('SendMessageBatch')).toBe(4);
    expect(ids(await receiveAll())).toEqual(range(35).map(account));
  });

  it('resends only the entries that failed in the service', async () => {
    failEntries('SendMessageBatch', (id, call) => (Number(id) % 3 === call % 3 && call < 4 ? 'InternalError' : null));
    await stores.queue.send(range(10).map((n) => work(n)));
    proxy.decide = () => undefined;
    expect(ids(await receiveAll())).toEqual(range(10).map(account));
    expect(slept.length).toBeGreaterThan(0);
  });

  it('throws if an entry is rejected permanently or repeatedly; all entries may be sent again', async () => {
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
    'retries the whole call after %s',
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

  it('rejects a message that is too large before it sends anything', async () => {
    const large = work(2, { policyHash: 'x'.repeat(MAX_MESSAGE_BYTES) });
    await expect(stores.queue.send([work(1), large])).rejects.toMatchObject({ code: 'TooLarge' });
    expect(proxy.calls).toEqual([]);
  });

  it('keeps the size of a call below the limit', async () => {
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
