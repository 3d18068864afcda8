import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { entryIdOf } from '../../../shared/app/ledger/dead-letter-entries.ts';
import { functionsOf } from './functions.ts';
import { deploy, lambdaContext, type SqsEvent } from './support.ts';

describe('unreadable messages', () => {
  it('become dead letters, with an entry in the ledger, and do not delay others', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const { tick, scan, work } = functionsOf(world);
    await tick();
    await scan();
    const bad = [
      'not JSON',
      '{}',
      '{"v":2,"kind":"account"}',
      ' '.padEnd(10, '\t'),
      JSON.stringify({ v: 1, kind: 'account' }),
    ];
    for (const body of bad) await world.send(body);
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    const dead = await world.dead();
    expect(dead.map(({ Body }) => Body).sort()).toEqual([...bad].sort());
    const { stores } = await world.compose('look')();
    const { entries } = await stores.ledger.query({ type: 'RemediationFailed' }, { limit: 100 });
    expect(entries.map((entry) => entry.detail?.error?.code)).toEqual(bad.map(() => 'UnreadableMessage'));
    const named = dead.map(({ MessageAttributes }) => MessageAttributes?.['EntryId']?.StringValue).sort();
    expect(named).toEqual(entries.map(entryIdOf).sort());
    expect(world.measured.get('DeadLetters')).toBe(bad.length);
    // All others were processed.
    const active = world.sandbox.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(active.every(({ computeOptimizer }) => computeOptimizer.status === 'Active')).toBe(true);
    // They already have their entries, so the tick adds none.
    expect(await tick()).toMatchObject({ deadLettersRecorded: 0 });
  });

  it('that SQS itself moved to the dead letters are recorded by the tick, once', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const { tick } = functionsOf(world);
    const accountId = '123456789012';
    const key = {
      v: 1,
      kind: 'account',
      accountId,
      enrollment: 'automation',
      policyHash: 'p',
      runId: 'r',
      planHash: null,
    };
    const send = (MessageBody: string) =>
      world.queues.send(new SendMessageCommand({ QueueUrl: world.env['ROLLCALL_DLQ_URL'], MessageBody }));
    await send(JSON.stringify(key));
    await send('whatever');
    expect(await tick()).toMatchObject({ deadLettersRecorded: 2 });
    expect(await tick()).toMatchObject({ deadLettersRecorded: 0 });
    const { stores } = await world.compose('look')();
    const { entries } = await stores.ledger.query({ accountId }, { limit: 10 });
    expect(entries).toMatchObject([
      {
        type: 'RemediationFailed',
        enrollment: 'automation',
        runId: 'r',
        detail: { error: { code: 'TooManyReceives' } },
      },
    ]);
  });
});

describe('an event that is not an SQS batch', () => {
  it.each([
    [undefined, 'the event: expected object, received undefined'],
    [{ key1: 'value1' }, 'Records: expected array, received undefined'],
    [{ Records: 'many' }, 'Records: expected array, received string'],
    [{ Records: [] }, 'Records: '],
  ])('%j is refused, with what was found and what was expected', async (event, fault) => {
    const world = await deploy({ sandbox: { accounts: 4 } });
    const { worker } = functionsOf(world);
    const ended = worker(event, lambdaContext(world.clock));
    await expect(ended).rejects.toMatchObject({ name: 'EventError' });
    await expect(ended).rejects.toThrow(`not invoked with an SQS event with at least one record: ${fault}`);
  });
});

describe('a batch with malformed records', () => {
  it('keeps those on the queue, moves records without an id to the dead letters, and processes all others', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const { tick, scan, worker } = functionsOf(world);
    await tick();
    await scan();
    const { Records } = await world.sqsEvent();
    const [first, second, third, ...others] = Records;
    if (first === undefined || second === undefined || third === undefined) expect.fail('too few messages');
    const { body } = third;
    const malformed = [{ ...first, attributes: undefined }, { ...second, receiptHandle: 7 }, { body }, 'poison', null];
    const response = await worker({ Records: [...malformed, ...others] }, lambdaContext(world.clock));
    const kept = response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    expect(kept).toEqual([first.messageId, second.messageId]);
    const errors = world.lines.filter(({ message }) => message.startsWith('a record of the batch is malformed'));
    expect(errors.map(({ fields }) => fields['fault'])).toEqual([
      'attributes: expected object, received undefined',
      'receiptHandle: expected string, received number',
      expect.stringMatching(/^messageId: expected string, received undefined; /),
      'the event: expected object, received string',
      'the event: expected object, received null',
    ]);
    expect((await world.dead()).map(({ Body }) => Body)).toEqual([body]);
    expect(world.lines.filter(({ message }) => message === 'message processed')).toHaveLength(others.length);
  });
});

describe('a batch that fails in part', () => {
  it('keeps only the failed part on the queue', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const { tick, scan, work, worker } = functionsOf(world, { settings: { retryBudgetMs: 50 } });
    await tick();
    await scan();
    const { stores } = await world.compose('look')();
    const known = await stores.registers.read('scan');
    const { policyHash, runId } = Object(known?.value);
    await world.send(JSON.stringify({ v: 1, kind: 'organization', policyHash, runId, planHash: null }));
    // The whole organization cannot be read; single accounts can.
    world.sandbox.sandbox.setFaults([{ service: 'organizations', operation: 'ListAccounts', kind: 'unavailable' }]);
    const all: SqsEvent['Records'][number][] = [];
    while (!all.some(({ body }) => body.includes('"organization"'))) all.push(...(await world.sqsEvent()).Records);
    const event = { Records: all };
    const whole = event.Records.find(({ body }) => body.includes('"organization"'));
    expect(event.Records.length).toBeGreaterThan(1);
    const response = await worker(event, lambdaContext(world.clock));
    expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: whole?.messageId }] });
    await world.remove(event.Records.filter((record) => record !== whole));
    world.sandbox.sandbox.setFaults([]);
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    const active = world.sandbox.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(active.every(({ computeOptimizer }) => computeOptimizer.status === 'Active')).toBe(true);
    expect(await world.dead()).toEqual([]);
  });

  it('starts no message without enough time to finish it', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const { tick, scan, worker } = functionsOf(world);
    await tick();
    await scan();
    const event = await world.sqsEvent();
    const response = await worker(event, lambdaContext(world.clock, 60_000));
    expect(response.batchItemFailures.length).toBe(event.Records.length);
    expect(world.sandbox.sandbox.calls().some(({ operation }) => operation === 'UpdateEnrollmentStatus')).toBe(false);
    // Released immediately.
    expect((await world.sqsEvent()).Records.length).toBe(event.Records.length);
  });

  it('fails as a whole, without any change, while AWS refuses the caller', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const { tick, scan, worker } = functionsOf(world);
    await tick();
    await scan();
    const event = await world.sqsEvent();
    world.sandbox.sandbox.setFaults([
      { service: 'sts', operation: 'GetCallerIdentity', kind: 'denied', code: 'InvalidClientTokenId' },
    ]);
    await expect(worker(event, lambdaContext(world.clock))).rejects.toMatchObject({ kind: 'Unauthenticated' });
    world.sandbox.sandbox.setFaults([]);
    expect((await worker(event, lambdaContext(world.clock))).batchItemFailures).toEqual([]);
  });

  it('rejects an event that is not from SQS', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const { worker } = functionsOf(world);
    await expect(worker({ Records: [] }, lambdaContext(world.clock))).rejects.toThrow();
    await expect(worker({}, lambdaContext(world.clock))).rejects.toThrow(/Records/);
  });
});

describe('concurrent invocations of one container', () => {
  it('share their resources, and none closes them while another uses them', async () => {
    const world = await deploy({ sandbox: { accounts: 8 } });
    const runtime = await world.compose('worker')();
    const [first, second] = await Promise.all([runtime.app(), runtime.app()]);
    expect(second).toBe(first);
    await expect(first.deps.cloud.list('computeOptimizer', null)).resolves.toBeDefined();
  });

  it('that use the previous policy finish with it, and new ones use the new policy', async () => {
    const world = await deploy({ sandbox: { accounts: 8 } });
    const runtime = await world.compose('worker')();
    const before = await runtime.app();
    world.writePolicy({ callsPerSecond: 7 });
    const [after, same] = await Promise.all([runtime.app(true), runtime.app(true)]);
    expect(after).not.toBe(before);
    expect(same).toBe(after);
    await expect(before.deps.cloud.list('computeOptimizer', null)).resolves.toBeDefined();
  });

  it('get an app even if it could not be created for the previous one', async () => {
    const world = await deploy({ sandbox: { accounts: 8 } });
    const runtime = await world.compose('worker')();
    world.sandbox.sandbox.setFaults([
      { service: 'sts', operation: 'GetCallerIdentity', kind: 'denied', code: 'InvalidClientTokenId', count: 1 },
    ]);
    const [first, second] = await Promise.allSettled([runtime.app(), runtime.app()]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
  });
});

describe('a batch of both lanes', () => {
  it('starts with the urgent messages', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 }, policy: { concurrency: 1 } });
    const { tick, scan, worker } = functionsOf(world);
    await tick();
    await scan();
    const { Records } = await world.sqsEvent();
    expect(Records.length).toBeGreaterThan(2);
    expect(Records.map(({ attributes }) => attributes['MessageGroupId'])).toEqual(Records.map(() => 'bulk'));
    const last = Records.at(-1);
    if (last === undefined) expect.fail('nothing was received');
    // Without a group, like a message that an event sends.
    const { MessageGroupId: _, ...attributes } = last.attributes;
    await worker({ Records: Records.with(-1, { ...last, attributes }) }, lambdaContext(world.clock));
    const processed = world.lines.filter(({ message }) => message === 'message processed');
    const ids = processed.map(({ fields }) => fields?.['messageId']);
    expect(ids).toEqual([last.messageId, ...Records.slice(0, -1).map(({ messageId }) => messageId)]);
  });
});
