import { describe, expect, test } from 'vitest';
import { cachedRecords } from '../../../shared/adapters/system/record-cache.ts';
import { controlsVersion } from '../../../shared/app/guardrails/controls.ts';
import { AccountTable } from '../../../shared/app/queries/account-list.ts';
import { auditReport } from '../../../shared/app/queries/audit/report.ts';
import { ReportCache } from '../../../shared/app/queries/audit/report-cache.ts';
import { emptyRecord, foldEntry } from '../../../shared/domain/account/record.ts';
import type { EntryDraft } from '../../../shared/domain/ledger/entry.ts';
import { headOf } from '../../../shared/domain/ledger/entry.ts';
import { account, FACET, FIRST, sealAll, time } from '../../contract/samples.ts';
import { bench, copy, restore, store, useStoreAndBackup } from './restored-store.ts';

useStoreAndBackup();

const AGE_MS = 1_000;
const SECOND_MS = 1_000;
const version = () => controlsVersion(store.registers);

const before = sealAll(account(1), [
  { type: 'AccountJoined', enrollment: null, at: time(0) },
  { after: FACET, at: time(SECOND_MS) },
]);

/** Writes the third entry of the account's chain. */
async function write(fields: Partial<EntryDraft>): Promise<void> {
  const added = sealAll(account(1), [{ at: time(2 * SECOND_MS), ...fields }], before[1] && headOf(before[1]));
  await store.ledger.append(added);
  await store.records.advance([[...before, ...added].reduce(foldEntry, emptyRecord(account(1)))]);
}

/** A store that lost its third entry by a restore, and got another one since. */
async function replaced(read: () => Promise<unknown>): Promise<void> {
  await store.ledger.append([...before]);
  await store.backup(copy);
  await write({ type: 'DriftResolved', after: { ...FACET, verdict: 'Compliant', status: 'Active' } });
  await bench.clock.advance(10 * SECOND_MS);
  await read();
  await restore();
  await write({ type: 'RemediationBlocked', after: { ...FACET, verdict: 'Blocked', reason: 'denied' } });
  await bench.clock.advance(10 * SECOND_MS);
}

describe('after a restore, an entry has the position of a lost one, and', () => {
  test('lists of accounts show its state', async () => {
    const { all } = cachedRecords(store.records, bench.clock, { maxAgeMs: AGE_MS, maxRecords: 10, version });
    const stores = { ...store, records: { ...store.records, all } };
    const verdictOf = async (table: AccountTable) => {
      const query = { sort: 'accountId', order: 'asc', limit: 10, cursor: null } as const;
      return (await table.page(query)).accounts[0]?.[FIRST]?.verdict;
    };
    const [cached, plain] = [stores, store].map((each) => new AccountTable(each, bench.clock, AGE_MS));
    if (cached === undefined || plain === undefined) throw new Error('two tables');
    await replaced(async () => {
      expect(await verdictOf(cached)).toBe('Compliant');
      expect(await verdictOf(plain)).toBe('Compliant');
    });
    expect(await verdictOf(cached)).toBe('Blocked');
    expect(await verdictOf(plain)).toBe('Blocked');
  });

  test('a report is not continued from the lost entries', async () => {
    const cache = new ReportCache(bench.clock, { version });
    const query = (seconds: number) => {
      return { since: time(0), until: time(seconds * SECOND_MS), intervalMs: SECOND_MS, top: 5 };
    };
    await replaced(() => cache.get(store, query(5)));
    expect(await cache.get(store, query(15))).toEqual(await auditReport(store, query(15)));
  });
});
