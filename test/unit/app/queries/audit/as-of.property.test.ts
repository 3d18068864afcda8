import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pruneOld } from '../../../../../shared/app/ledger/retention.ts';
import { type AsOf, asOfSchema, auditAsOf } from '../../../../../shared/app/queries/audit/as-of.ts';
import { auditReport, reportSchema } from '../../../../../shared/app/queries/audit/report.ts';
import { ReportCache } from '../../../../../shared/app/queries/audit/report-cache.ts';
import { verifyLedger } from '../../../../../shared/app/queries/audit/verify.ts';
import { standingOf } from '../../../../../shared/domain/account/as-of.ts';
import { complianceOf } from '../../../../../shared/domain/account/compliance.ts';
import { emptyRecord, foldEntry } from '../../../../../shared/domain/account/record.ts';
import { ENROLLMENT_IDS } from '../../../../../shared/domain/enrollment/kinds/index.ts';
import { shownOf } from '../../../../../shared/domain/enrollment/status.ts';
import type { LedgerEntry } from '../../../../../shared/domain/ledger/entry.ts';
import { makeBench } from '../../../../adapters/embedded/stores.ts';
import { anyEntry, time } from '../../../../contract/samples.ts';
import { MANUAL_CLOCK_START } from '../../../../support/manual-clock.ts';
import { entriesOf, histories } from './histories.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The slow way: every chain from its start. */
function oracle(chains: readonly (readonly LedgerEntry[])[], at: string): AsOf['accounts'] {
  return chains.flatMap((entries) => {
    const accountId = entries[0]?.chain ?? '';
    const record = entries.filter((entry) => entry.at <= at).reduce(foldEntry, emptyRecord(accountId));
    return ENROLLMENT_IDS.flatMap((enrollment) => {
      const condition = record.present ? record.conditions[enrollment] : null;
      const words = shownOf((kind) => record.conditions[kind])[enrollment];
      return condition === null || words === null
        ? []
        : [{ accountId, enrollment, ...standingOf(condition), ...words }];
    });
  });
}

/** When each drift began that is open after the entries that count. */
function openSince(
  chains: readonly (readonly LedgerEntry[])[],
  counts: (entry: LedgerEntry) => boolean,
): readonly string[] {
  return chains.flatMap((entries) => {
    const record = entries.filter(counts).reduce(foldEntry, emptyRecord('x'));
    return ENROLLMENT_IDS.flatMap((enrollment) =>
      record.present ? (record.conditions[enrollment]?.driftSince ?? []) : [],
    );
  });
}

const moments = fc.array(fc.integer({ min: -1, max: 14 * 24 }), { minLength: 1, maxLength: 6 });

async function withLedger<T>(
  chains: readonly (readonly LedgerEntry[])[],
  work: (
    deps: ReturnType<typeof makeBench>,
    store: Awaited<ReturnType<ReturnType<typeof makeBench>['open']>>,
  ) => Promise<T>,
): Promise<T> {
  const bench = makeBench();
  try {
    const store = await bench.open();
    // Interleaved, as it would have been written.
    const entries = chains.flat().toSorted((a, b) => a.at.localeCompare(b.at) || a.seq - b.seq);
    await store.ledger.append(entries);
    await store.records.advance(chains.map((each) => each.reduce(foldEntry, emptyRecord(each[0]?.chain ?? ''))));
    return await work(bench, store);
  } finally {
    await bench.dispose();
  }
}

it('as-of equals a replay of every chain, at any time', async () => {
  await fc.assert(
    fc.asyncProperty(histories, moments, async (all, hours) => {
      const chains = all.map((happenings, n) => entriesOf(n, happenings));
      await withLedger(chains, async (_, { ledger }) => {
        const exact = chains.flat().map(({ at }) => at);
        for (const at of [...hours.map((n) => time(n * HOUR)), ...exact.slice(0, 8)]) {
          const result = await auditAsOf(ledger, at);
          expect(asOfSchema.omit({ future: true }).parse(result)).toEqual(result);
          expect(result).toEqual({ at, accounts: oracle(chains, at), pruned: [] });
        }
      });
    }),
    { numRuns: 30 },
  );
}, 60_000);

it('after pruning, as-of is correct for every time within the retention, and reports earlier times as pruned', async () => {
  await fc.assert(
    fc.asyncProperty(
      histories,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 30 }),
      async (all, keep, later) => {
        const chains = all.map((happenings, n) => entriesOf(n, happenings));
        await withLedger(chains, async ({ clock, newId }, store) => {
          const end = Math.max(...chains.flat().map(({ at }) => Date.parse(at)));
          await clock.advance(end + later * DAY - MANUAL_CLOCK_START);
          const now = clock.now();
          const deps = { ...store, clock, newId, actor: 'test' };
          for (let more = true; more; ) more = (await pruneOld(deps, keep * DAY, anyEntry)).more;
          // Entries may stay for a tenth of the retention longer, and for at least a day.
          const longest = keep * DAY + Math.max(DAY, (keep * DAY) / 10);
          const left = await store.ledger.query({ until: new Date(now - longest).toISOString() }, { limit: 10 });
          expect(left.entries).toEqual([]);
          expect(await verifyLedger(store.ledger, store.records)).toMatchObject({ ok: true, faults: [] });
          for (const at of [now, now - keep * DAY, now - (keep * DAY) / 2].map((ms) => new Date(ms).toISOString())) {
            expect(await auditAsOf(store.ledger, at)).toEqual({ at, accounts: oracle(chains, at), pruned: [] });
          }
          const before = time(1_500);
          const { accounts, pruned } = await auditAsOf(store.ledger, before);
          const known = new Set(accounts.map(({ accountId }) => accountId));
          // Either it is told truly, or it is said that it cannot be told.
          expect(oracle(chains, before).filter(({ accountId }) => !pruned.includes(accountId))).toEqual(accounts);
          for (const accountId of pruned) expect(known.has(accountId)).toBe(false);
          // A record that is lost is the same when it is folded again from what is left.
          for (const { accountId } of accounts) {
            const record = await store.records.get(accountId);
            const entries = await store.ledger.read(accountId, 0, 1_000);
            expect(entries.reduce(foldEntry, emptyRecord(accountId))).toEqual(record);
          }
        });
      },
    ),
    { numRuns: 20 },
  );
}, 60_000);

it("a report's points equal as-of at those times, and its drifts equal those in the entries", async () => {
  await fc.assert(
    fc.asyncProperty(histories, fc.integer({ min: 0, max: 5 }), async (all, from) => {
      const chains = all.map((happenings, n) => entriesOf(n, happenings));
      await withLedger(chains, async (_, { ledger, snapshots }) => {
        const query = { since: time(from * DAY), until: time(15 * DAY), intervalMs: 2 * DAY, top: 5 };
        const report = await auditReport({ ledger, snapshots }, query);
        expect(reportSchema.parse(report)).toEqual(report);
        for (const { at, compliance } of report.points) {
          for (const enrollment of ENROLLMENT_IDS) {
            const verdicts = oracle(chains, at)
              .filter((each) => each.enrollment === enrollment)
              .map(({ verdict }) => verdict);
            expect(compliance[enrollment], `${at} ${enrollment}`).toEqual(complianceOf(verdicts));
          }
        }
        for (const { at, openDrifts } of report.points.slice(0, -1)) {
          expect(openDrifts, at).toBe(openSince(chains, (entry) => entry.at <= at).length);
        }
        const open = openSince(chains, (entry) => entry.at < query.until);
        expect(report.now.openDrifts.count).toBe(open.length);
        const ages = open.map((each) => Date.parse(query.until) - Date.parse(each));
        expect(report.now.openDrifts.maxMs).toBe(ages.length === 0 ? null : Math.max(...ages));
        expect(report.points.at(-1)?.openDrifts).toBe(report.now.openDrifts.count);
      });
    }),
    { numRuns: 20 },
  );
}, 60_000);

it('a report that continues an earlier one equals a new one, in any order of the requests', async () => {
  const ends = fc.array(fc.integer({ min: 6, max: 15 * 24 }), { minLength: 2, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(histories, fc.integer({ min: 0, max: 5 }), ends, async (all, from, hours) => {
      const chains = all.map((happenings, n) => entriesOf(n, happenings));
      await withLedger(chains, async ({ clock }, stores) => {
        const cache = new ReportCache(clock);
        const queries = hours.map((end) => ({
          ...{ since: time(from * HOUR), until: time((from + end) * HOUR), intervalMs: 7 * HOUR, top: 5 },
        }));
        const reports = await Promise.all(queries.map((query) => cache.get(stores, query)));
        for (const [n, query] of queries.entries()) expect(reports[n]).toEqual(await auditReport(stores, query));
      });
    }),
    { numRuns: 20 },
  );
}, 60_000);
