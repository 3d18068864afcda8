import { expect } from 'vitest';
import { canonicalJson } from '../../shared/domain/canonical-hash.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { DeadLetters, WorkQueue } from '../../shared/ports/queue.ts';
import { contractOf } from './contract.ts';
import { accounts, receiveAll, receiveOne, VISIBILITY } from './queue-steps.ts';
import { account, range, work } from './samples.ts';

/** A queue with its dead letters. */
export interface QueueUnderTest {
  readonly queue: WorkQueue;
  readonly deadLetters: DeadLetters;
  /** Enqueues a raw body, as from another version of Rollcall or another program. */
  putRaw(body: string): Promise<void>;
}

const FAILURE = { code: 'Denied', message: 'the role cannot be assumed', entryId: 'entry-1' };

const KINDS: readonly WorkMessage[] = [
  work(1),
  { ...work(2), planHash: 'd'.repeat(64) },
  {
    ...{ v: 1, kind: 'batch', operation: 'AssociateAccounts', accountIds: [account(1), account(2)] },
    ...{ policyHash: 'b'.repeat(64), runId: 'run-1', planHash: null },
  },
  {
    v: 1,
    kind: 'organization',
    enrollment: 'computeOptimizer',
    policyHash: 'b'.repeat(64),
    runId: 'run-1',
    planHash: null,
  },
];

export const queueContract = contractOf<QueueUnderTest>()('WorkQueue and DeadLetters', {
  async 'an empty queue returns nothing immediately'({ port: { queue, deadLetters } }) {
    expect(await queue.receive(10, VISIBILITY)).toEqual([]);
    expect(await queue.depth()).toEqual({ visible: 0, inFlight: 0, dead: 0 });
    await queue.send([]);
    await queue.acknowledge([]);
    expect(await deadLetters.list(10)).toEqual([]);
    expect(await deadLetters.show('none')).toBeNull();
    expect(await deadLetters.redrive(['none'])).toEqual([]);
  },

  async 'a delayed message is received after its delay, and not before'({ port: { queue }, clock }) {
    await queue.send([work(1)], { delayMs: 5_000 });
    await queue.send([work(2)]);
    expect(accounts(await receiveAll(queue))).toEqual([account(2)]);
    await clock.advance(5_000);
    expect(accounts(await receiveAll(queue))).toEqual([account(1)]);
  },

  async 'every message is received as it was sent, by any client'({ port, another }) {
    await port.queue.send(KINDS);
    const other = await another();
    const received = await receiveAll(other.queue);
    expect(received.map(({ message }) => canonicalJson(message)).sort()).toEqual(KINDS.map(canonicalJson).sort());
    for (const delivery of received) expect(delivery.receives).toBe(1);
  },

  async 'an organization-wide message of version 0.1.0, which names no kind, is about Compute Optimizer'({ port }) {
    const old = { v: 1, kind: 'organization', policyHash: 'b'.repeat(64), runId: 'run-1', planHash: null };
    await port.putRaw(JSON.stringify(old));
    expect((await receiveOne(port.queue)).message).toEqual({ ...old, enrollment: 'computeOptimizer' });
  },

  async 'receive returns at most the requested number'({ port: { queue } }) {
    await queue.send(range(25).map((n) => work(n)));
    expect((await queue.receive(7, VISIBILITY)).length).toBeLessThanOrEqual(7);
    await receiveAll(queue);
    expect((await queue.depth()).visible).toBe(0);
  },

  async 'a malformed message is not sent, nor are the others of the call'({ port: { queue } }) {
    const bad: WorkMessage = { ...work(2), policyHash: 'x', runId: 'y' };
    Reflect.set(bad, 'accountId', '12');
    await expect(queue.send([work(1), bad])).rejects.toThrow();
    expect(await queue.receive(10, VISIBILITY)).toEqual([]);
  },

  async 'a received message is invisible to all until its visibility timeout, then it returns'({
    port,
    another,
    clock,
  }) {
    const other = await another();
    await port.queue.send([work(1)]);
    const first = await receiveOne(port.queue);
    expect(await other.queue.receive(10, VISIBILITY)).toEqual([]);
    await clock.advance(VISIBILITY - 1);
    expect(await other.queue.receive(10, VISIBILITY)).toEqual([]);
    await clock.advance(1);
    const second = await receiveOne(other.queue);
    expect(second.message).toEqual(work(1));
    expect(second.receives).toBe(2);
    expect(second.receipt).not.toBe(first.receipt);
  },

  async 'concurrent receivers never get the same message'({ port, another }) {
    const clients = [port, await another(), await another()];
    await port.queue.send(range(60).map((n) => work(n)));
    const received = await Promise.all(clients.map(({ queue }) => receiveAll(queue)));
    expect(accounts(received.flat())).toEqual(range(60).map(account));
    const receipts = new Set(received.flat().map((delivery) => delivery.receipt));
    expect(receipts.size).toBe(60);
  },

  async 'an acknowledged message never returns'({ port: { queue }, clock }) {
    await queue.send([work(1), work(2)]);
    const all = await receiveAll(queue);
    await queue.acknowledge(all.filter((delivery) => accounts([delivery])[0] === account(1)));
    await clock.advance(VISIBILITY);
    expect(accounts(await receiveAll(queue))).toEqual([account(2)]);
  },

  async 'extend makes it invisible for that long from now'({ port: { queue }, clock }) {
    await queue.send([work(1)]);
    const delivery = await receiveOne(queue);
    await clock.advance(20_000);
    await queue.extend(delivery, VISIBILITY);
    await clock.advance(VISIBILITY - 1);
    expect(await queue.receive(1, VISIBILITY)).toEqual([]);
    await queue.acknowledge([delivery]);
    await clock.advance(VISIBILITY);
    expect(await queue.receive(1, VISIBILITY)).toEqual([]);
  },

  async 'release makes it visible again after the delay'({ port: { queue }, clock }) {
    await queue.send([work(1)]);
    await queue.release(await receiveOne(queue), 60_000);
    await clock.advance(59_999);
    expect(await queue.receive(1, VISIBILITY)).toEqual([]);
    await clock.advance(1);
    const again = await receiveOne(queue);
    expect(again.receives).toBe(2);
    await queue.release(again, 0);
    expect((await receiveOne(queue)).receives).toBe(3);
  },

  async 'a delivery has the time at which its message was last sent, however often it was received'({ port, clock }) {
    const { queue } = port;
    const before = clock.now();
    await queue.send([work(1)], { delayMs: 5_000 });
    await clock.advance(5_000);
    const first = await receiveOne(queue);
    expect(first.sentAt).toBeGreaterThanOrEqual(before);
    expect(first.sentAt).toBeLessThan(before + 5_000);
    await queue.release(first, 0);
    expect((await receiveOne(queue)).sentAt).toBe(first.sentAt);
    await clock.advance(1_000);
    await queue.send([work(1)]);
    const times = (await receiveAll(queue)).map(({ sentAt }) => sentAt);
    expect(Math.max(...times)).toBeGreaterThanOrEqual(before + 6_000);
  },

  async 'a replaced receipt has no effect'({ port: { queue, deadLetters }, clock }) {
    await queue.send([work(1)]);
    const stale = await receiveOne(queue);
    await clock.advance(VISIBILITY);
    const present = await receiveOne(queue);
    await queue.acknowledge([stale]);
    await queue.release(stale, 0);
    await queue.extend(stale, 10 * VISIBILITY);
    expect(await queue.receive(1, VISIBILITY)).toEqual([]);
    await clock.advance(VISIBILITY);
    const last = await receiveOne(queue);
    expect(last.message).toEqual(present.message);
    await queue.acknowledge([last]);
    await queue.release(last, 0);
    await queue.extend(last, VISIBILITY);
    expect(await queue.receive(1, VISIBILITY)).toEqual([]);
    expect(await deadLetters.list(10)).toEqual([]);
  },

  async 'a receipt expires with its visibility timeout'({ port: { queue }, clock }) {
    await queue.send([work(1)]);
    const late = await receiveOne(queue);
    await clock.advance(VISIBILITY);
    await queue.acknowledge([late]);
    expect((await receiveOne(queue)).message).toEqual(work(1));
  },

  async 'a foreign receipt has no effect'({ port: { queue } }) {
    await queue.send([work(1)]);
    const foreign = ['', 'x', '1', '1.', '-1.a', "1' OR 1=1"].map((receipt) => ({
      ...{ message: work(1), receipt, receives: 1, sentAt: 0, lane: 'urgent' as const },
    }));
    await queue.acknowledge(foreign);
    for (const delivery of foreign) await queue.release(delivery, 1000);
    for (const delivery of foreign) await queue.putBack(delivery, 1000);
    expect(accounts(await receiveAll(queue))).toEqual([account(1)]);
  },

  async 'a dead letter is removed from the queue and kept with its error'({ port, another, clock }) {
    const { queue, deadLetters } = port;
    await queue.send([work(1), work(2)]);
    const all = await receiveAll(queue);
    const [bad] = all.filter((delivery) => accounts([delivery])[0] === account(1));
    if (bad === undefined) throw new Error('not received');
    await queue.deadLetter(bad, FAILURE);
    await clock.advance(VISIBILITY);
    expect(accounts(await receiveAll(queue))).toEqual([account(2)]);
    const [letter, ...others] = await (await another()).deadLetters.list(10);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ message: work(1), reason: FAILURE });
    expect(letter?.at).toBe(clock.now() - VISIBILITY);
    expect(JSON.parse(letter?.body ?? '')).toEqual(work(1));
    expect(await deadLetters.show(letter?.id ?? '')).toEqual(letter);
  },

  async 'an unreadable body is never delivered and becomes a dead letter with the reason'({ port }) {
    const { queue, deadLetters, putRaw } = port;
    const bodies = [
      'not JSON',
      '{"v":1}',
      JSON.stringify({ ...work(1), v: 2 }),
      JSON.stringify({ ...work(1), extra: 1 }),
    ];
    for (const body of bodies) await putRaw(body);
    await queue.send([work(5)]);
    expect(accounts(await receiveAll(queue))).toEqual([account(5)]);
    const letters = await deadLetters.list(10);
    expect(letters.map((letter) => letter.body).sort()).toEqual([...bodies].sort());
    for (const { id, message, reason } of letters) {
      expect(message).toBeNull();
      expect(reason.code).toBe('UnreadableMessage');
      expect(reason.message.length).toBeGreaterThan(10);
      expect(await deadLetters.redrive([id])).toEqual([]);
      expect(await deadLetters.show(id)).not.toBeNull();
    }
    expect(await queue.receive(10, VISIBILITY)).toEqual([]);
  },

  async 'unreadable bodies do not hide later messages'({ port: { queue, putRaw } }) {
    for (const n of range(15)) await putRaw(`not JSON ${n}`);
    await queue.send([work(1)]);
    const [delivery] = await queue.receive(1, VISIBILITY);
    expect(delivery?.message).toEqual(work(1));
  },

  async 'redrive puts letters back on the queue, each once'({ port: { queue, deadLetters }, clock }) {
    await queue.send([work(1), work(2), work(3)]);
    for (const delivery of await receiveAll(queue)) await queue.deadLetter(delivery, FAILURE);
    expect((await queue.depth()).dead).toBe(3);
    const letters = await deadLetters.list(10);
    const back = letters.filter(({ message }) => message?.kind !== 'account' || message.accountId !== account(2));
    const ids = back.map((letter) => letter.id);
    expect([...(await deadLetters.redrive([...ids, 'unknown', ...ids]))].sort()).toEqual([...ids].sort());
    expect(accounts(await receiveAll(queue))).toEqual([account(1), account(3)]);
    expect((await deadLetters.list(10)).map((letter) => letter.message)).toEqual([work(2)]);
    expect(await deadLetters.redrive(ids)).toEqual([]);
    await clock.advance(0);
    expect(await queue.depth()).toEqual({ visible: 0, inFlight: 2, dead: 1 });
  },

  async 'list returns at most the requested number of dead letters'({ port: { queue, deadLetters } }) {
    await queue.send(range(5).map((n) => work(n)));
    for (const delivery of await receiveAll(queue)) await queue.deadLetter(delivery, FAILURE);
    expect(await deadLetters.list(3)).toHaveLength(3);
    expect(await deadLetters.list(10)).toHaveLength(5);
  },

  async 'depth counts visible, invisible and dead messages'({ port: { queue }, clock }) {
    await queue.send(range(6).map((n) => work(n)));
    expect(await queue.depth()).toEqual({ visible: 6, inFlight: 0, dead: 0 });
    const one = await receiveOne(queue);
    const two = await receiveOne(queue);
    const three = await receiveOne(queue);
    await queue.deadLetter(one, FAILURE);
    await queue.release(two, 10_000);
    await queue.acknowledge([three]);
    await receiveOne(queue);
    expect(await queue.depth()).toEqual({ visible: 2, inFlight: 2, dead: 1 });
    expect(await queue.pending()).toBe(4);
    await clock.advance(VISIBILITY);
    expect(await queue.depth()).toEqual({ visible: 4, inFlight: 0, dead: 1 });
  },

  async 'the same work sent again while in flight is received afterwards'({ port: { queue } }) {
    await queue.send([work(1)]);
    const first = await receiveOne(queue);
    await queue.send([work(1)]);
    await queue.acknowledge([first]);
    expect((await receiveOne(queue)).message).toEqual(work(1));
  },
});
