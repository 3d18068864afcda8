import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedStore } from '../../../../../shared/adapters/embedded/store.ts';
import { auditExport } from '../../../../../shared/app/queries/audit/export.ts';
import type { ExportFormat } from '../../../../../shared/app/queries/audit/export-formats.ts';
import { canonicalJson } from '../../../../../shared/domain/canonical-hash.ts';
import { csvCell } from '../../../../../shared/domain/csv.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../../../../shared/domain/ledger/entry.ts';
import { ENTRY_TYPES } from '../../../../../shared/domain/ledger/entry-types.ts';
import { CSV_COLUMNS } from '../../../../../shared/domain/ledger/export-csv.ts';
import { ocsfEvent } from '../../../../../shared/domain/ledger/export-ocsf.ts';
import { type Bench, makeBench } from '../../../../adapters/embedded/stores.ts';
import { account, chainOf, draft, FACET, range, sealAll, time } from '../../../../contract/samples.ts';
import { FORMULA, parseCsv, unguarded } from '../../../../support/csv.ts';

let bench: Bench;
let store: EmbeddedStore;
beforeEach(async () => {
  bench = makeBench();
  store = await bench.open();
});
afterEach(() => bench.dispose());

async function exported(format: ExportFormat, filter = {}): Promise<string> {
  let text = '';
  for await (const piece of auditExport(store.ledger, { filter, format, version: '1.2.3' })) text += piece;
  return text;
}

const NASTY = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\tx',
  '\r=1',
  '\uff1d1',
  "'quoted'",
  'a,b',
  'say "x"',
  'two\r\nlines',
  'a;=1+1',
  ';; @SUM(A1)',
  "x;'quoted'",
  'a\t-1',
  '\n=1+1',
  'two\r\n+1',
  '',
];
const nasty = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'grapheme' }));

describe('audit export', () => {
  it('gives every entry back from json, ndjson and ocsf exactly as it is', async () => {
    const entries = [...chainOf(account(1), 700), ...chainOf(ORGANIZATION_CHAIN, 3)];
    await store.ledger.append(entries);
    const sorted = (found: readonly unknown[]) => found.map((each) => canonicalJson(each)).sort();
    const lines = async (format: ExportFormat) =>
      (await exported(format))
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
    const whole: unknown = JSON.parse(await exported('json'));
    expect(whole).toEqual({ entries: expect.any(Array) });
    expect(sorted(Object(whole).entries)).toEqual(sorted(entries));
    expect(sorted(await lines('ndjson'))).toEqual(sorted(entries));
    expect(sorted((await lines('ocsf')).map((event) => Object(event).unmapped.rollcall))).toEqual(sorted(entries));
  });

  it('of no entries is an empty document of the format', async () => {
    expect(JSON.parse(await exported('json'))).toEqual({ entries: [] });
    expect(await exported('csv')).toBe(`${CSV_COLUMNS.join(',')}\r\n`);
    expect(await exported('ndjson')).toBe('');
    expect(await exported('ocsf')).toBe('');
  });

  it('asks for a page when the one before has been taken, and no more after that', async () => {
    await store.ledger.append(chainOf(account(1), 1_200));
    let pages = 0;
    const ledger = {
      query: (...args: Parameters<typeof store.ledger.query>) => {
        pages += 1;
        return store.ledger.query(...args);
      },
    };
    for await (const piece of auditExport(ledger, { filter: {}, format: 'ndjson', version: '1' })) {
      if (piece === '') continue;
      expect(piece.split('\n').length).toBeLessThanOrEqual(501);
      break;
    }
    expect(pages).toBe(1);
  });

  it('takes the filters of the list', async () => {
    await store.ledger.append([...chainOf(account(1), 5), ...chainOf(account(2), 5)]);
    const rows = parseCsv(await exported('csv', { accountId: account(2), since: time(2_000) }));
    expect(rows).toHaveLength(1 + 3);
  });
});

describe('CSV', () => {
  it('has no formula where semicolons or tabs separate, whatever the quotes mean there', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: fc.constantFrom(...';\t\n =+-@\'"a,') })),
        (text) => {
          const cell = csvCell(text);
          const bare = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
          // The opening quote stands behind a comma: inside a cell, where it is a character like any other.
          const [, ...later] = bare.split(/[;\t\n]/);
          for (const part of later) expect(part.trimStart()).not.toMatch(/^[=+\-@]/);
          expect(unguarded(bare)).toBe(text);
          expect(bare.includes(';') ? cell.startsWith('"') : true).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('no text cell starts like a spreadsheet formula, and every text can be recovered from its cell', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ reason: nasty, actor: nasty, rule: nasty, message: nasty }), {
          minLength: 1,
          maxLength: 5,
        }),
        async (parts) => {
          const entries = sealAll(
            account(1),
            parts.map(({ message, ...rest }) => ({ ...rest, detail: { message } })),
          );
          await bench.dispose();
          bench = makeBench();
          store = await bench.open();
          await store.ledger.append(entries);
          const [header, ...rows] = parseCsv(await exported('csv'));
          expect(header).toEqual(CSV_COLUMNS);
          expect(rows).toHaveLength(entries.length);
          for (const [n, row] of rows.entries()) {
            expect(row).toHaveLength(CSV_COLUMNS.length);
            for (const cell of row) expect(cell).not.toMatch(FORMULA);
            const told = (name: string) => unguarded(row[CSV_COLUMNS.indexOf(name)] ?? '');
            const { reason, actor, rule, detail, seq, hash } = entries[n] ?? draftless();
            expect([told('reason'), told('actor'), told('rule'), told('message')]).toEqual([
              reason,
              actor,
              rule,
              detail?.message,
            ]);
            expect([told('seq'), told('hash'), told('detail')]).toEqual([String(seq), hash, canonicalJson(detail)]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('numbers stay numbers', () => {
    expect(csvCell(-1)).toBe('-1');
    expect(csvCell('-1')).toBe("'-1");
    expect(csvCell(null)).toBe('');
  });
});

function draftless(): LedgerEntry {
  throw new Error('one entry a row');
}

/** What the published schema 1.3.0 requires of the class and of the objects in it [https://schema.ocsf.io/1.3.0/classes/compliance_finding]. */
const REQUIRED = {
  event: [
    'activity_id',
    'category_uid',
    'class_uid',
    'compliance',
    'finding_info',
    'metadata',
    'severity_id',
    'time',
    'type_uid',
  ],
  compliance: ['standards'],
  finding_info: ['title', 'uid'],
  metadata: ['product', 'version'],
  product: ['vendor_name'],
} as const;

describe('OCSF', () => {
  it.each(ENTRY_TYPES)('a %s has what the class Compliance Finding requires', (type) => {
    for (const [chain, after] of [
      [account(1), FACET],
      [account(1), null],
      [ORGANIZATION_CHAIN, null],
    ] as const) {
      const [entry] = sealAll(chain, [{ ...draft({ chain }), type, after, runId: 'run-1', detail: { message: 'm' } }]);
      if (entry === undefined) throw new Error('no entry');
      const event = JSON.parse(JSON.stringify(ocsfEvent(entry, '1.2.3')));
      const parts = {
        ...{ event, compliance: event.compliance, finding_info: event.finding_info },
        metadata: event.metadata,
        product: event.metadata.product,
      };
      for (const [name, required] of Object.entries(REQUIRED)) {
        for (const field of required) expect(Object(parts)[name], `${name}.${field}`).toHaveProperty(field);
      }
      const { activity_id, type_uid, severity_id, time: at, resources } = event;
      expect([event.class_uid, event.category_uid]).toEqual([2003, 2]);
      expect([1, 2, 3]).toContain(activity_id);
      expect(type_uid).toBe(200300 + activity_id);
      expect([1, 2, 3, 4]).toContain(severity_id);
      expect(at).toBe(Date.parse(entry.at));
      expect([0, 1, 2, 3]).toContain(event.compliance.status_id);
      expect([1, 2, 3, 4]).toContain(event.status_id);
      expect(event.compliance.standards.length).toBeGreaterThan(0);
      // Of a resource at least one of name and uid.
      for (const resource of resources) expect(resource.uid).toEqual(expect.any(String));
      expect(event.metadata.version).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  it('one enrollment is one finding from its drift to its end, which passes', () => {
    const entries = sealAll(account(1), [
      { type: 'DriftDetected', after: FACET },
      { type: 'RemediationSucceeded', after: { ...FACET, verdict: 'Converging' } },
      { type: 'DriftResolved', after: { ...FACET, verdict: 'Compliant', status: 'Active' } },
    ]);
    const events = entries.map((entry) => JSON.parse(JSON.stringify(ocsfEvent(entry, '1'))));
    expect(new Set(events.map((event) => event.finding_info.uid)).size).toBe(1);
    expect(events.map((event) => event.activity_name)).toEqual(['Create', 'Update', 'Close']);
    expect(events.map((event) => event.compliance.status)).toEqual(['Fail', 'Fail', 'Pass']);
    expect(range(3).map((n) => events[n].status)).toEqual(['New', 'In Progress', 'Resolved']);
  });
});
