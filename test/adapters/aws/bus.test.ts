import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { eventSchema, eventSchemaFiles } from '../../../infra/event-schemas.ts';
import { type EventBridgeBus, MAX_EVENT_BYTES, openEventBridge } from '../../../shared/adapters/aws/eventbridge/bus.ts';
import { wordsOf } from '../../../shared/domain/ledger/bus-event.ts';
import type { LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import { ENTRY_TYPES, type EntryType } from '../../../shared/domain/ledger/entry-types.ts';
import { account, chainOf, FACET, sealAll, time } from '../../contract/samples.ts';
import { type Answer, type SimulatedService, startSimulatedService } from './simulated-service.ts';
import { immediateClock } from './stores.ts';

interface Sent {
  readonly Entries: readonly { readonly Detail: string; readonly DetailType: string; readonly Source: string }[];
}

const sentSchema = z.object({
  Entries: z.array(
    z.object({
      Detail: z.string(),
      DetailType: z.string(),
      Source: z.string(),
      EventBusName: z.string(),
      Time: z.number(),
    }),
  ),
});

let service: SimulatedService;
let bus: EventBridgeBus;
/** The answers of the next calls; without one, a call accepts every entry. */
let answers: ((sent: Sent) => Answer)[];
const accept = ({ Entries }: Sent): Answer => ({
  status: 200,
  body: { FailedEntryCount: 0, Entries: Entries.map((_, index) => ({ EventId: `event-${index}` })) },
});
const failing =
  (code: string, ...places: readonly number[]) =>
  ({ Entries }: Sent): Answer => ({
    status: 200,
    body: {
      FailedEntryCount: places.length,
      Entries: Entries.map((_, index) =>
        places.includes(index) ? { ErrorCode: code, ErrorMessage: 'no' } : { EventId: `event-${index}` },
      ),
    },
  });
const error = (type: string, status: number) => (): Answer => ({ status, body: { __type: type, message: 'no' } });

beforeEach(async () => {
  answers = [];
  service = await startSimulatedService(({ body }) => (answers.shift() ?? accept)(sentSchema.parse(body)));
  bus = openEventBridge({ bus: 'the-bus', clock: immediateClock(), random: () => 0.5, eventBridge: service.settings });
});
afterEach(async () => {
  bus.close();
  await service.close();
});

const calls = () => service.requests.map(({ body }) => sentSchema.parse(body).Entries);
const ids = (entries: readonly LedgerEntry[]) => entries.map((entry) => entry.id);
const A = account(1);

/** Every event type: the entry's type, and the `detail-type` of its event. */
const DETAIL_TYPES = [
  ['ScanStarted', 'Scan Started'],
  ['ScanCompleted', 'Scan Completed'],
  ['AccountJoined', 'Account Joined'],
  ['AccountLeft', 'Account Left'],
  ['DriftDetected', 'Drift Detected'],
  ['DriftResolved', 'Drift Resolved'],
  ['RemediationStarted', 'Remediation Started'],
  ['RemediationSucceeded', 'Remediation Succeeded'],
  ['RemediationFailed', 'Remediation Failed'],
  ['RemediationBlocked', 'Remediation Blocked'],
  ['ConvergenceStalled', 'Convergence Stalled'],
  ['ConfigurationStarted', 'Configuration Started'],
  ['ConfigurationEnded', 'Configuration Ended'],
  ['ExemptionExpiring', 'Exemption Expiring'],
  ['ExemptionExpired', 'Exemption Expired'],
  ['GuardrailTripped', 'Guardrail Tripped'],
  ['PlanApproved', 'Plan Approved'],
  ['RolloutAdvanced', 'Rollout Advanced'],
  ['EnforcementHalted', 'Enforcement Halted'],
  ['EnforcementResumed', 'Enforcement Resumed'],
  ['AccountSuspended', 'Account Suspended'],
  ['AccountResumed', 'Account Resumed'],
  ['PolicyChanged', 'Policy Changed'],
  ['FlapDetected', 'Flap Detected'],
  ['VerdictChanged', 'Verdict Changed'],
  ['ChainPruned', 'Chain Pruned'],
  ['DigestPublished', 'Digest Published'],
  ['CheckpointPublished', 'Checkpoint Published'],
  ['ScanRequested', 'Scan Requested'],
  ['DeadLettersRedriven', 'Dead Letters Redriven'],
  ['StoreRestored', 'Store Restored'],
];

describe('EventBridge publisher', () => {
  it('sends each entry as an event, ten a call', async () => {
    const entries = chainOf(A, 23);
    const { accepted, refused } = await bus.publish(entries);
    expect([...accepted].sort()).toEqual(ids(entries).sort());
    expect(refused).toEqual([]);
    expect(
      calls()
        .map((each) => each.length)
        .sort((a, b) => b - a),
    ).toEqual([10, 10, 3]);
    const events = calls().flat();
    expect(events.map((event) => JSON.parse(event.Detail).seq).sort((a, b) => a - b)).toEqual(
      entries.map((e) => e.seq),
    );
    for (const event of events) {
      expect(event).toMatchObject({ Source: 'rollcall', DetailType: 'Drift Detected', EventBusName: 'the-bus' });
      const detail: unknown = JSON.parse(event.Detail);
      expect(detail).toEqual(entries.find((entry) => entry.id === JSON.parse(event.Detail).id));
      expect(new Date(event.Time * 1000).toISOString()).toBe(JSON.parse(event.Detail).at);
    }
  });

  it('makes no call without entries', async () => {
    expect(await bus.publish([])).toEqual({ accepted: new Set(), refused: [] });
    expect(service.requests).toEqual([]);
  });

  it('resends only the entries that failed for a transient reason', async () => {
    const entries = chainOf(A, 5);
    answers = [failing('ThrottlingException', 1, 3), failing('InternalFailure', 0)];
    const { accepted, refused } = await bus.publish(entries);
    expect(accepted).toEqual(new Set(ids(entries)));
    expect(refused).toEqual([]);
    expect(calls().map((each) => each.length)).toEqual([5, 2, 1]);
  });

  it('gives up on an entry after several retries and names it', async () => {
    const entries = chainOf(A, 3);
    answers = [failing('InternalFailure', 2), ...Array.from({ length: 9 }, () => failing('InternalFailure', 0))];
    const { accepted, refused } = await bus.publish(entries);
    expect(accepted).toEqual(new Set(ids(entries.slice(0, 2))));
    expect(refused).toEqual([{ id: entries[2]?.id, code: 'InternalFailure', message: 'no' }]);
    expect(calls()).toHaveLength(4);
  });

  it('does not retry a permanent rejection', async () => {
    const entries = chainOf(A, 3);
    answers = [failing('MalformedDetail', 0)];
    const { accepted, refused } = await bus.publish(entries);
    expect(accepted).toEqual(new Set(ids(entries.slice(1))));
    expect(refused.map(({ code }) => code)).toEqual(['MalformedDetail']);
    expect(calls()).toHaveLength(1);
  });

  it('treats an entry without a result as not accepted', async () => {
    const entries = chainOf(A, 3);
    answers = [() => ({ status: 200, body: { FailedEntryCount: 0, Entries: [{ EventId: 'e' }, {}] } })];
    const { accepted, refused } = await bus.publish(entries);
    expect(accepted).toEqual(new Set(ids(entries.slice(0, 1))));
    expect(refused.map(({ id }) => id)).toEqual(ids(entries.slice(1)));
  });

  it('retries a call that is throttled or fails in the service', async () => {
    const entries = chainOf(A, 2);
    answers = [
      error('ThrottlingException', 400),
      error('InternalException', 500),
      () => ({ status: 503, body: '<html>' }),
    ];
    expect((await bus.publish(entries)).accepted.size).toBe(2);
    expect(calls()).toHaveLength(4);
  });

  it('rejects all entries after one call, without throwing, if the bus is missing or denied', async () => {
    for (const code of ['AccessDeniedException', 'ResourceNotFoundException']) {
      service.requests.length = 0;
      const entries = chainOf(A, 200);
      answers = Array.from({ length: 20 }, () => error(code, 400));
      const { accepted, refused } = await bus.publish(entries);
      expect(accepted.size).toBe(0);
      expect(refused.map(({ id }) => id).sort()).toEqual(ids(entries).sort());
      expect(new Set(refused.map((refusal) => refusal.code))).toEqual(new Set([code]));
      expect(calls().length).toBeLessThanOrEqual(4);
    }
  });

  it('publishes an entry that is too large as a reference', async () => {
    const [large, small] = sealAll(A, [
      { after: FACET, detail: { message: 'ü'.repeat(MAX_EVENT_BYTES / 2) } },
      { at: time(1), reason: 'small' },
    ]);
    if (!large || !small) throw new Error('no entries');
    const { accepted } = await bus.publish([large, small]);
    expect(accepted.size).toBe(2);
    const [first, second] = calls()
      .flat()
      .map((event): unknown => JSON.parse(event.Detail));
    const { id, chain, seq, at, type, accountId, enrollment, runId, actor, hash } = large;
    expect(first).toEqual({ id, chain, seq, at, type, accountId, enrollment, runId, actor, hash, truncated: true });
    expect(second).toEqual(small);
  });

  it('keeps the size of a call below the limit', async () => {
    const entries = sealAll(
      A,
      Array.from({ length: 9 }, (_, n) => ({ at: time(n), detail: { message: 'x'.repeat(100_000) } })),
    );
    expect((await bus.publish(entries)).accepted.size).toBe(9);
    for (const call of calls()) {
      const bytes = call.reduce((sum, event) => sum + Buffer.byteLength(event.Detail), 0);
      expect(bytes).toBeLessThanOrEqual(MAX_EVENT_BYTES);
    }
    expect(calls().length).toBe(5);
  });
});

describe('event schemas', () => {
  const committed = readFileSync(join(import.meta.dirname, 'event-schema.json'), 'utf8');
  const files = eventSchemaFiles();
  const schemaOf = (type: EntryType): unknown => JSON.parse(files.get(`${type}.json`) ?? '');

  it('exist for each event type, under the names that listeners filter by', () => {
    expect([...files.keys()]).toEqual(ENTRY_TYPES.map((type) => `${type}.json`));
    expect(ENTRY_TYPES.map((type) => [type, wordsOf(type)])).toEqual(DETAIL_TYPES);
  });

  it('equal the committed schema of Drift Detected except for the type names', () => {
    for (const type of ENTRY_TYPES) {
      const expected: unknown = JSON.parse(
        committed.replaceAll('Drift Detected', wordsOf(type)).replaceAll('DriftDetected', type),
      );
      expect(schemaOf(type), type).toEqual(expected);
    }
  });

  it('describe exactly the events that are sent, whole and by reference', async () => {
    for (const type of ENTRY_TYPES) {
      const entries = sealAll(A, [
        { type, before: null, after: { ...FACET, notBefore: time(1) }, detail: { optOut: true, batch: [A] } },
        { type, at: time(1), detail: { message: 'x'.repeat(MAX_EVENT_BYTES) } },
        {
          type,
          at: time(2),
          api: { operation: 'AssociateAccounts', requestId: null, clientToken: 't' },
          runId: 'run-1',
        },
      ]);
      service.requests.length = 0;
      await bus.publish(entries);
      const fromFile = z.fromJSONSchema(z.record(z.string(), z.json()).parse(schemaOf(type)));
      for (const { Source, DetailType, Detail } of calls().flat()) {
        const event = { source: Source, 'detail-type': DetailType, detail: JSON.parse(Detail), region: 'eu-west-1' };
        expect(fromFile.safeParse(event).error).toBeUndefined();
        expect(eventSchema(type).safeParse(event).error).toBeUndefined();
        for (const broken of [
          { ...event, source: 'x' },
          { ...event, 'detail-type': type },
          { ...event, detail: { ...event.detail, seq: 0 } },
          { ...event, detail: { ...event.detail, hash: 'x' } },
          { ...event, detail: {} },
        ]) {
          expect(fromFile.safeParse(broken).success).toBe(false);
        }
      }
    }
  });
});
