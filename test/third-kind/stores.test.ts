import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { EmbeddedStore } from '../../shared/adapters/embedded/store.ts';
import { toStoredRecord } from '../../shared/adapters/stored-shapes.ts';
import { auditExport } from '../../shared/app/queries/audit/export.ts';
import type { ExportFormat } from '../../shared/app/queries/audit/export-formats.ts';
import { status } from '../../shared/app/queries/status.ts';
import { byKind, ENROLLMENT_IDS } from '../../shared/domain/enrollment/kinds/index.ts';
import { type Bench, makeBench } from '../adapters/embedded/stores.ts';
import { ledgerContract } from '../contract/ledger.contract.ts';
import { recordsContract } from '../contract/records.contract.ts';
import { account, CONDITION, FACET, record, sealAll } from '../contract/samples.ts';
import { restoreFile, storedRecords } from '../golden/stored.ts';
import { parseCsv } from '../support/csv.ts';
import { readRecords } from '../support/world.ts';

const THIRD = ENROLLMENT_IDS.at(-1) ?? expect.fail('the registry has the fake kind');
const A = account(1);
const ENTRIES = sealAll(A, [
  { enrollment: THIRD, after: FACET, reason: 'third' },
  { enrollment: 'computeOptimizer', after: FACET, reason: 'first' },
]);

let bench: Bench;
let store: EmbeddedStore;
beforeEach(async () => {
  bench = makeBench();
  store = await bench.open();
});
afterEach(() => bench.dispose());

async function opened() {
  const own = makeBench();
  const { ledger, records } = await own.open();
  return { ledger, records, own };
}

ledgerContract('embedded, with a third kind', async () => {
  const { ledger, own } = await opened();
  const another = async () => (await own.open()).ledger;
  return { port: ledger, another, clock: own.clock, close: () => own.dispose() };
});
recordsContract('embedded, with a third kind', async () => {
  const { records, own } = await opened();
  const another = async () => (await own.open()).records;
  return { port: records, another, clock: own.clock, close: () => own.dispose() };
});

async function exported(format: ExportFormat): Promise<string> {
  let text = '';
  const options = { filter: { enrollment: THIRD }, format, version: '1.2.3' };
  for await (const piece of auditExport(store.ledger, options)) text += piece;
  return text;
}

it('entries of the third kind are found by it and exported in every format', async () => {
  await store.ledger.append(ENTRIES);
  const [header = [], ...rows] = parseCsv(await exported('csv'));
  expect(rows.map((row) => row[header.indexOf('enrollment')])).toEqual([THIRD]);
  const parsed: unknown = JSON.parse(await exported('ndjson'));
  expect(parsed).toEqual(ENTRIES[0]);
  const event: unknown = JSON.parse(await exported('ocsf'));
  expect(event).toMatchObject({ finding_info: { title: `Drift Detected: ${THIRD} of ${A}` } });
});

it('the store of version 0.1.0, which does not know the kind, opens and folds to the same records', async () => {
  const own = makeBench();
  onTestFinished(() => own.dispose());
  restoreFile(own.dataDir);
  const old = await own.open();
  const records = await readRecords(old);
  expect(new Map([...records].map(([id, each]) => [id, toStoredRecord(each)]))).toEqual(storedRecords);
  for (const { conditions } of records.values()) expect(conditions[THIRD]).toBeNull();
  const { summary, statuses } = await status(old);
  expect(Object.values(summary[THIRD]).every((count) => count === 0)).toBe(true);
  expect(Object.values(statuses[THIRD]).every((count) => count === 0)).toBe(true);
});

it('a record of the third kind is stored and read', async () => {
  const stored = { ...record(A, 1), conditions: { ...byKind(() => null), [THIRD]: CONDITION } };
  await store.records.advance([stored]);
  expect(await store.records.get(A)).toEqual(stored);
});
