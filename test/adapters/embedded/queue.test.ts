import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import type { WorkMessage } from '../../../shared/domain/work-message.ts';
import { account, range, work } from '../../contract/samples.ts';
import { type Bench, makeBench } from './stores.ts';

let bench: Bench;
let store: EmbeddedStore;
beforeEach(async () => {
  bench = makeBench();
  store = await bench.open({ maxReceives: 3 });
});
afterEach(() => bench.dispose());

const VISIBILITY = 1000;

describe('a duplicate of a waiting message', () => {
  it('replaces it, with the newer run', async () => {
    await store.queue.send([work(1, { runId: 'old' }), work(1, { runId: 'new' })]);
    await store.queue.send([work(1, { runId: 'newest' })]);
    const deliveries = await store.queue.receive(10, VISIBILITY);
    expect(deliveries.map((delivery) => delivery.message.runId)).toEqual(['newest']);
  });

  it('is a duplicate only with the same work, policy and plan', async () => {
    const different: readonly WorkMessage[] = [
      work(1),
      work(2),
      work(1, { policyHash: 'e'.repeat(64) }),
      { ...work(1), planHash: 'f'.repeat(64) },
      {
        v: 1,
        kind: 'organization',
        enrollment: 'computeOptimizer',
        policyHash: 'b'.repeat(64),
        runId: 'run-1',
        planHash: null,
      },
      { v: 1, kind: 'account', accountId: account(1), enrollment: 'automation', ...common() },
    ];
    await store.queue.send([...different, ...different]);
    expect((await store.queue.depth()).visible).toBe(different.length);
  });

  it('makes a delayed message visible', async () => {
    await store.queue.send([work(1)]);
    const [delivery] = await store.queue.receive(1, VISIBILITY);
    if (delivery === undefined) throw new Error('nothing was visible');
    await store.queue.release(delivery, 60_000);
    await store.queue.send([work(1)]);
    expect(await store.queue.depth()).toEqual({ visible: 1, inFlight: 0, dead: 0 });
  });

  it('does not replace one that a worker is processing, unless the visibility of the worker expired', async () => {
    await store.queue.send([work(1)]);
    const [slow] = await store.queue.receive(1, VISIBILITY);
    if (slow === undefined) throw new Error('nothing was visible');
    await store.queue.send([work(1)]);
    expect(await store.queue.depth()).toEqual({ visible: 1, inFlight: 1, dead: 0 });
    await bench.clock.advance(VISIBILITY);
    await store.queue.send([work(1, { runId: 'later' })]);
    expect(await store.queue.depth()).toEqual({ visible: 2, inFlight: 0, dead: 0 });
    // The late acknowledgement must not remove a message sent after its receipt.
    await store.queue.acknowledge([slow]);
    expect(await store.queue.depth()).toEqual({ visible: 2, inFlight: 0, dead: 0 });
  });
});

describe('dead letters', () => {
  it('receive a message that was received too often without being acknowledged', async () => {
    await store.queue.send([work(1)]);
    for (const receives of [1, 2, 3]) {
      const [delivery] = await store.queue.receive(1, VISIBILITY);
      expect(delivery?.receives).toBe(receives);
      await bench.clock.advance(VISIBILITY);
    }
    expect(await store.queue.receive(1, VISIBILITY)).toEqual([]);
    const [letter] = await store.deadLetters.list(10);
    expect(letter).toMatchObject({ message: work(1), reason: { code: 'TooManyReceives', entryId: null } });
    expect(await store.deadLetters.redrive([letter?.id ?? ''])).toEqual([letter?.id]);
    expect((await store.queue.receive(1, VISIBILITY))[0]?.receives).toBe(1);
  });

  it('do not receive a message that another worker is processing', async () => {
    await store.queue.send([work(1)]);
    const [stale] = await store.queue.receive(1, VISIBILITY);
    await bench.clock.advance(VISIBILITY);
    const [present] = await store.queue.receive(1, VISIBILITY);
    if (stale === undefined || present === undefined) throw new Error('nothing was visible');
    await store.queue.deadLetter(stale, { code: 'x', message: 'x', entryId: null });
    expect(await store.deadLetters.list(10)).toEqual([]);
    await store.queue.acknowledge([present]);
    expect(await store.queue.depth()).toEqual({ visible: 0, inFlight: 0, dead: 0 });
  });
});

it('messages are received in the order in which they became visible', async () => {
  for (const n of range(5)) {
    await store.queue.send([work(9 - n)]);
    await bench.clock.advance(1);
  }
  const order = (await store.queue.receive(5, VISIBILITY)).map(
    ({ message }) => 'accountId' in message && message.accountId,
  );
  expect(order).toEqual([9, 8, 7, 6, 5].map(account));
});

function common() {
  return { policyHash: 'b'.repeat(64), runId: 'run-1', planHash: null };
}
