import { PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { describe, expect, test } from 'vitest';
import { clients, control, json, sandboxForTest } from './support.ts';

const entry = (detail: unknown): PutEventsRequestEntry => ({
  Source: 'rollcall',
  DetailType: 'Drift Detected',
  Detail: JSON.stringify(detail),
  EventBusName: 'default',
});

describe('PutEvents', () => {
  test('records entries in order', async () => {
    const running = await sandboxForTest();
    const { events } = clients(running);
    const Time = new Date('2026-11-01T12:00:00.000Z');
    await events.send(
      new PutEventsCommand({ Entries: [entry({ n: 1 }), { ...entry({ n: 2 }), Time, Resources: ['arn:x'] }] }),
    );
    const answer = await events.send(new PutEventsCommand({ Entries: [entry({ n: 3 })] }));
    expect(answer).toMatchObject({
      FailedEntryCount: 0,
      Entries: [{ EventId: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
    });
    const { body } = await control(running, 'events');
    expect(body['events']).toMatchObject([
      { ...entry({ n: 1 }), Account: running.info.managementAccountId },
      { ...entry({ n: 2 }), Time: Time.toISOString(), Resources: ['arn:x'] },
      entry({ n: 3 }),
    ]);
  });

  test('entries fail independently while the call succeeds', async () => {
    const running = await sandboxForTest();
    const { events } = clients(running);
    const { Detail: _, ...incomplete } = entry({});
    const answer = await events.send(
      new PutEventsCommand({
        Entries: [incomplete, { ...entry({}), Detail: '{' }, { ...entry({}), Detail: '[]' }, entry({ good: true })],
      }),
    );
    expect(answer.FailedEntryCount).toBe(3);
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      'InvalidArgument',
      'MalformedDetail',
      'MalformedDetail',
      undefined,
    ]);
    expect(running.sandbox.events()).toHaveLength(1);
  });

  test('accepts 1 to 10 entries and 256 KB', async () => {
    const running = await sandboxForTest();
    const put = (Entries: unknown) => json(running, 'events', 'PutEvents', { Entries });
    expect((await put(Array(10).fill(entry({})))).status).toBe(200);
    const many = await put(Array(11).fill(entry({})));
    expect(many).toMatchObject({ status: 400, error: 'ValidationException' });
    expect(JSON.stringify(many.body)).toMatch(/Value '\[\{.*' at 'Entries' failed to satisfy constraint/);
    expect((await put([])).error).toBe('ValidationException');
    expect((await put([entry('x'.repeat(262_144))])).error).toBe('ValidationException');
    expect((await put([{ ...entry({}), EventBusName: 'not a bus' }])).error).toBe('ValidationException');
    expect((await put([{ ...entry({}), Source: 7 }])).error).toBe('SerializationException');
    expect(running.sandbox.events()).toHaveLength(10);
  });
});
