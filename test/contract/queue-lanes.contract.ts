import { expect } from 'vitest';
import { contractOf } from './contract.ts';
import type { QueueUnderTest } from './queue.contract.ts';
import { accounts, lanes, receiveAll, receiveOne, VISIBILITY } from './queue-steps.ts';
import { account, range, work } from './samples.ts';

const FAILURE = { code: 'Denied', message: 'the role cannot be assumed', entryId: 'entry-1' };

export const queueLanesContract = contractOf<QueueUnderTest>()('WorkQueue, lanes', {
  async 'urgent messages are received before bulk messages that were sent earlier'({ port: { queue }, clock }) {
    await queue.send(
      range(30).map((n) => work(n)),
      { lane: 'bulk' },
    );
    const begun = await queue.receive(10, VISIBILITY);
    expect(lanes(begun)).toEqual(['bulk']);
    await queue.send([work(101), work(102)], { lane: 'urgent' });
    await queue.send([work(103)], { lane: 'urgent', delayMs: 5_000 });
    expect(accounts(await queue.receive(2, VISIBILITY))).toEqual([account(101), account(102)]);
    const [next] = await queue.receive(1, VISIBILITY);
    expect(next?.lane).toBe('bulk');
    await clock.advance(5_000);
    const all = await receiveAll(queue);
    expect(all[0]).toMatchObject({ message: work(103), lane: 'urgent' });
    expect(begun.length + 3 + all.length).toBe(33);
  },

  async 'only messages of the given lane are received, none if the queue cannot select them'({
    port: { queue },
    clock,
  }) {
    await queue.send([work(1), work(2)], { lane: 'bulk' });
    expect(await queue.receive(10, VISIBILITY, 'urgent')).toEqual([]);
    await queue.send([work(3)]);
    const urgent = accounts(await queue.receive(10, VISIBILITY, 'urgent'));
    expect(urgent.every((id) => id === account(3))).toBe(true);
    await clock.advance(VISIBILITY);
    expect(accounts(await receiveAll(queue)).toSorted()).toEqual([account(1), account(2), account(3)]);
  },

  async 'a message keeps its lane when it returns to the queue'({ port: { queue }, clock }) {
    await queue.send([work(1), work(2)]);
    await queue.send(
      range(20).map((n) => work(10 + n)),
      { lane: 'bulk' },
    );
    const [one, two] = await queue.receive(2, VISIBILITY);
    if (one === undefined || two === undefined) throw new Error('not received');
    expect(lanes([one, two])).toEqual(['urgent']);
    const [bulk] = await queue.receive(1, VISIBILITY);
    if (bulk === undefined) throw new Error('not received');
    await queue.release(bulk, 0);
    await queue.release(one, 0);
    expect((await receiveOne(queue)).message).toEqual(one.message);
    await clock.advance(VISIBILITY);
    expect(accounts(await queue.receive(2, VISIBILITY))).toEqual([account(1), account(2)]);
    expect(lanes(await receiveAll(queue))).toEqual(['bulk']);
  },

  async 'urgent work does not wait for the same work in bulk'({ port: { queue } }) {
    await queue.send(
      range(30).map((n) => work(n)),
      { lane: 'bulk' },
    );
    await queue.receive(5, VISIBILITY);
    await queue.send([work(29)], { lane: 'urgent' });
    await queue.send([work(29)], { lane: 'bulk' });
    expect(await receiveOne(queue)).toMatchObject({ message: work(29), lane: 'urgent' });
  },

  async 'few redriven dead letters are urgent'({ port: { queue, deadLetters } }) {
    await queue.send([work(1)], { lane: 'bulk' });
    await queue.deadLetter(await receiveOne(queue), FAILURE);
    await queue.send(
      range(30).map((n) => work(10 + n)),
      { lane: 'bulk' },
    );
    await queue.receive(5, VISIBILITY);
    const letters = await deadLetters.list(10);
    await deadLetters.redrive(letters.map(({ id }) => id));
    expect(await receiveOne(queue)).toMatchObject({ message: work(1), lane: 'urgent' });
  },

  async 'a message that is put back becomes visible after the delay, as if it had never been received'({
    port,
    clock,
  }) {
    const { queue } = port;
    const message = { ...work(1), planHash: 'd'.repeat(64) };
    await queue.send([message], { lane: 'bulk' });
    await queue.release(await receiveOne(queue), 0);
    const [first] = await receiveAll(queue);
    if (first === undefined) expect.fail('not received');
    expect(first.receives).toBe(2);
    await queue.putBack(first, 60_000);
    expect(await queue.receive(1, VISIBILITY)).toEqual([]);
    await queue.acknowledge([first]);
    await queue.release(first, 0);
    await clock.advance(59_000);
    expect(await queue.receive(1, VISIBILITY)).toEqual([]);
    await clock.advance(1_000);
    const [again, ...more] = await receiveAll(queue);
    expect(more).toEqual([]);
    expect(again).toMatchObject({ message, receives: 1, lane: 'bulk' });
    expect(await queue.depth()).toMatchObject({ visible: 0, dead: 0 });
  },

  async 'a message whose receipt has expired is not put back'({ port: { queue }, clock }) {
    await queue.send([work(1)]);
    const late = await receiveOne(queue);
    await clock.advance(VISIBILITY);
    await queue.putBack(late, 0);
    expect(await receiveAll(queue)).toHaveLength(1);
    expect(await queue.receive(1, VISIBILITY)).toEqual([]);
  },
});
