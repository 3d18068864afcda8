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
