import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isLedgerEntry, isStoredRecord, type StoredRecord } from '../../../../../shared/adapters/stored-shapes.ts';
import { auditReport } from '../../../../../shared/app/queries/audit/report.ts';
import { verifyLedger } from '../../../../../shared/app/queries/audit/verify.ts';
import { status } from '../../../../../shared/app/queries/status.ts';
import { withDetection } from '../../../../../shared/domain/account/drift-detection.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../../../../../shared/domain/account/record.ts';
import { transition } from '../../../../../shared/domain/account/transition.ts';
import { byKind } from '../../../../../shared/domain/enrollment/kinds/index.ts';
import type { Observation } from '../../../../../shared/domain/enrollment/model.ts';
import type { LedgerEntry } from '../../../../../shared/domain/ledger/entry.ts';
import { makeBench } from '../../../../adapters/embedded/stores.ts';
import { judged, MEMBER, policyOf, seen } from '../../../../support/domain-kit.ts';

/*
 * `ledger-0.1.json` was written by the code of 0.1, which detected no drift that something delayed from the start, and took a drift for ended
 * when it was blocked, stalled or given up. Six accounts, each with its entries and the record that 0.1 stored of them.
 */
const NAMES = [
  'joinedBlocked',
  'detectedThenDenied',
  'blockedThenRemediated',
  'blockedThenFixedByOthers',
  'givenUp',
  'stalled',
] as const;
type Name = (typeof NAMES)[number];

interface Stored {
  readonly record: StoredRecord;
  readonly entries: readonly LedgerEntry[];
}

function read(): Readonly<Record<Name, Stored>> {
  const parsed: Record<string, Record<string, unknown>> = JSON.parse(
    readFileSync(new URL('./ledger-0.1.json', import.meta.url), 'utf8'),
  );
  const of = (name: Name): Stored => {
    const { record, entries } = parsed[name] ?? {};
    if (!isStoredRecord(record) || !Array.isArray(entries)) throw new Error(`${name} is damaged`);
    return { record, entries: entries.filter(isLedgerEntry) };
  };
  return {
    joinedBlocked: of('joinedBlocked'),
    detectedThenDenied: of('detectedThenDenied'),
    blockedThenRemediated: of('blockedThenRemediated'),
    blockedThenFixedByOthers: of('blockedThenFixedByOthers'),
    givenUp: of('givenUp'),
    stalled: of('stalled'),
  };
}

const STORED = read();
const LATER = '2026-11-24T00:00:00.000Z';

const foldAll = (entries: readonly LedgerEntry[]): AccountRecord =>
  entries.reduce(foldEntry, emptyRecord(entries[0]?.chain ?? ''));

/** A store as 0.1 left it. */
async function opened() {
  const bench = makeBench();
  const store = await bench.open();
  const all = Object.values(STORED);
  await store.ledger.append(all.flatMap(({ entries }) => entries).toSorted((a, b) => a.at.localeCompare(b.at)));
  await store.records.advance(
    all.map(({ record: { accountId, head, present, ...conditions } }) => ({
      accountId,
      head,
      present,
      conditions: byKind((id) => conditions[id] ?? null),
    })),
  );
  return { store, dispose: () => bench.dispose() };
}

test.each([
  ['joinedBlocked', '2026-11-22T02:00:00.000Z'],
  ['detectedThenDenied', '2026-11-22T03:00:00.000Z'],
  ['blockedThenRemediated', null],
  ['blockedThenFixedByOthers', null],
  ['givenUp', '2026-11-22T03:00:00.000Z'],
  ['stalled', '2026-11-23T03:00:00.000Z'],
] as const)('%s: the fold of its entries has drift open since %s', (name, since) => {
  expect(STORED[name].record.computeOptimizer?.driftSince).toBeNull();
  expect(foldAll(STORED[name].entries).conditions.computeOptimizer?.driftSince ?? null).toBe(since);
});

test('the store verifies, and its records count the drift that 0.1 did not', async () => {
  const { store, dispose } = await opened();
  try {
    expect(await verifyLedger(store.ledger, store.records)).toMatchObject({ ok: true, faults: [] });
    const { openDrift } = await status(store, { now: Date.parse(LATER) });
    expect(openDrift).toMatchObject({ enrollments: 4, oldestSince: '2026-11-22T02:00:00.000Z' });
  } finally {
    await dispose();
  }
});

test('the report counts it from the entry that began it, whatever that was, and how long what is resolved took', async () => {
  const { store, dispose } = await opened();
  try {
    const query = { until: LATER, intervalMs: 86_400_000, top: 10 };
    const whole = await auditReport(store, { ...query, since: '2026-11-22T00:00:00.000Z' });
    expect(whole.now.openDrifts).toMatchObject({ count: 4, maxMs: 46 * 3_600_000 });
    expect(whole.drifts).toMatchObject({ detected: 6, resolved: 2 });
    expect(whole.drifts.timeToResolve).toMatchObject({ maxMs: 25 * 3_600_000 + 1_000 });
    const end = await auditReport(store, { ...query, since: '2026-11-23T12:00:00.000Z' });
    expect(end.now.openDrifts).toEqual(whole.now.openDrifts);
    expect(end.drifts).toMatchObject({ detected: 0, resolved: 0 });
  } finally {
    await dispose();
  }
});

test('an open drift of 0.1 goes on: no second beginning is written, and it is resolved', () => {
  const policy = policyOf('computeOptimizer: Active');
  let record = foldAll(STORED.joinedBlocked.entries);
  let now = Date.parse(LATER);
  const look = (observation: Observation): readonly string[] => {
    now += 60_000;
    const facts = { ...MEMBER, id: record.accountId };
    const found = judged({ facts, record, computeOptimizer: observation, policy, now }).computeOptimizer;
    const context = { newId: () => 'id', now, actor: 'rollcall', runId: null, policyHash: policy.hash };
    const draft = transition(context, record, found);
    const drafts = draft === null ? [] : withDetection(record, draft, context.newId);
    record = drafts.reduce((known, each) => foldEntry(known, { ...each, seq: 0, prevHash: '', hash: '' }), record);
    return drafts.map(({ type }) => type);
  };
  // The window is open now.
  expect(look(seen('Inactive'))).toEqual(['VerdictChanged']);
  expect(look(seen('Active', { lastUpdated: now }))).toEqual(['DriftResolved']);
});
