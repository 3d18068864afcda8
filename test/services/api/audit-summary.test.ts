import { expect, test } from 'vitest';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { account, sealAll } from '../../contract/samples.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../support/manual-clock.ts';
import { api, store as openStore } from './support.ts';

const HOUR = 3_600_000;
const at = (hours: number): string => new Date(MANUAL_CLOCK_START + hours * HOUR).toISOString();

test('the choices of a filter are the values that occur under the other filters', async () => {
  const clock = manualClock(MANUAL_CLOCK_START + 10 * HOUR);
  const store = await openStore(clock);
  const drift = { type: 'DriftDetected', enrollment: 'automation' } as const;
  await store.ledger.append([
    ...sealAll('organization', [
      { type: 'ScanStarted', runId: 'first', actor: 'rollcall', at: at(1) },
      { type: 'ScanRequested', runId: null, actor: 'anna', at: at(5) },
    ]),
    ...sealAll(account(1), [{ ...drift, runId: 'first', actor: 'rollcall', at: at(1) }]),
    ...sealAll(account(2), [
      { ...drift, runId: 'second', actor: 'rollcall', at: at(5) },
      { ...drift, type: 'DriftResolved', runId: 'second', actor: 'anna', at: at(6) },
    ]),
  ]);
  const { get } = await api({ store, clock });
  const all = await get(`/api/audit/summary?since=${at(0)}`, SCHEMAS.AuditSummary);
  expect(all).toMatchObject({ total: 5, complete: true });
  expect(all.bars.reduce((sum, { entries }) => sum + entries, 0)).toBe(5);
  expect(all.actors).toEqual([
    { actor: 'rollcall', entries: 3 },
    { actor: 'anna', entries: 2 },
  ]);
  expect(all.runs).toEqual([
    { runId: 'second', at: at(5), entries: 2 },
    { runId: 'first', at: at(1), entries: 2 },
  ]);
  const anna = await get(`/api/audit/summary?since=${at(0)}&actor=anna&type=DriftResolved`, SCHEMAS.AuditSummary);
  expect(anna).toMatchObject({ total: 1, enrollments: [{ enrollment: 'automation', entries: 1 }] });
  // Another actor can be chosen only if it has entries of this type, and another type only if anna has some.
  expect(anna.actors).toEqual([{ actor: 'anna', entries: 1 }]);
  expect(anna.types.map(({ type }) => type)).toEqual(['DriftResolved', 'ScanRequested']);
  const none = await get(`/api/audit/summary?since=${at(0)}&run=none`, SCHEMAS.AuditSummary);
  expect(none).toMatchObject({ total: 0, types: [] });
  expect(none.runs).toHaveLength(2);
});

test('a list and an export of entries can be restricted to the drift that a caller caused', async () => {
  const clock = manualClock(MANUAL_CLOCK_START + 10 * HOUR);
  const store = await openStore(clock);
  const caused = (actor: string, hours: number) => ({
    at: at(hours),
    detail: { changedBy: { actor, operation: 'UpdateEnrollmentStatus', at: at(hours), requestId: 'r' } },
  });
  await store.ledger.append([
    ...sealAll(account(1), [caused('anna', 1), caused('ben', 2), caused('anna', 3), { at: at(4) }]),
    ...sealAll('organization', [{ type: 'ScanRequested', actor: 'anna', at: at(5) }]),
  ]);
  const { get, send } = await api({ store, clock });
  const first = await get('/api/audit?changedBy=anna&limit=1', SCHEMAS.AuditPage);
  const second = await get(`/api/audit?changedBy=anna&limit=1&cursor=${first.next}`, SCHEMAS.AuditPage);
  expect([...first.entries, ...second.entries].map((entry) => entry.at)).toEqual([at(3), at(1)]);
  const unknown = await get('/api/audit?changedBy=unknown', SCHEMAS.AuditPage);
  expect(unknown.entries.map((entry) => entry.at)).toEqual([at(4)]);
  const { text } = await send('/api/audit/export?changedBy=ben&format=ndjson');
  expect(text.trim().split('\n')).toHaveLength(1);
});

test('the summary offers the callers that caused drift, and counts the drift of one of them', async () => {
  const clock = manualClock(MANUAL_CLOCK_START + 10 * HOUR);
  const store = await openStore(clock);
  const caused = (caller: string, hours: number, enrollment: 'computeOptimizer' | 'automation' = 'automation') => ({
    ...{ at: at(hours), enrollment, runId: hours < 3 ? 'first' : 'second', actor: 'rollcall' },
    detail: { changedBy: { actor: caller, operation: 'UpdateEnrollmentStatus', at: at(hours), requestId: 'r' } },
  });
  await store.ledger.append([
    ...sealAll(account(1), [caused('anna', 1), caused('ben', 2), caused('anna', 3, 'computeOptimizer')]),
    ...sealAll(account(2), [{ at: at(4), enrollment: 'automation', actor: 'rollcall' }, caused('anna', 5)]),
    ...sealAll('organization', [{ type: 'ScanRequested', actor: 'anna', at: at(5) }]),
  ]);
  const { get, send } = await api({ store, clock });
  const summary = (query: string) => get(`/api/audit/summary?since=${at(0)}${query}`, SCHEMAS.AuditSummary);
  expect(await summary('')).toMatchObject({
    total: 6,
    callers: [
      { caller: 'anna', entries: 3 },
      { caller: 'ben', entries: 1 },
      { caller: 'unknown', entries: 1 },
    ],
  });
  const anna = await summary('&changedBy=anna');
  expect(anna).toMatchObject({
    ...{ total: 3, complete: true, actors: [{ actor: 'rollcall', entries: 3 }] },
    types: [{ type: 'DriftDetected', entries: 3 }],
    enrollments: [
      { enrollment: 'automation', entries: 2 },
      { enrollment: 'computeOptimizer', entries: 1 },
    ],
    runs: [
      { runId: 'second', entries: 2 },
      { runId: 'first', entries: 1 },
    ],
  });
  // Another caller can be chosen, with the other filters applied.
  expect(anna.callers.map(({ caller }) => caller)).toEqual(['anna', 'ben', 'unknown']);
  expect(anna.bars.reduce((sum, { entries }) => sum + entries, 0)).toBe(3);
  const narrow = await summary(`&changedBy=anna&enrollment=automation&until=${at(5)}`);
  expect(narrow).toMatchObject({ total: 1, callers: [{ caller: 'anna' }, { caller: 'ben' }, { caller: 'unknown' }] });
  expect(await summary('&changedBy=unknown')).toMatchObject({ total: 1 });
  expect(await summary('&changedBy=nobody')).toMatchObject({ total: 0, callers: anna.callers });
  // Only drift has a caller.
  expect(await summary('&changedBy=anna&type=ScanRequested')).toMatchObject({ total: 0, callers: [] });
  expect((await send('/api/audit/summary?changedBy=')).json).toMatchObject({ code: 'BadRequest' });
});
