import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { type EmbeddedStore, openEmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { auditExport } from '../../../shared/app/queries/audit/export.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../../shared/app/queries/audit/export-formats.ts';
import { canonicalJson } from '../../../shared/domain/canonical-hash.ts';
import type { EntryDraft, LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import { ENTRY_TYPES } from '../../../shared/domain/ledger/entry-types.ts';
import { CSV_COLUMNS } from '../../../shared/domain/ledger/export-csv.ts';
import { account, sealAll, time } from '../../contract/samples.ts';
import { FORMULA, parseCsv, unguarded } from '../../support/csv.ts';
import { HOST } from '../../support/host.ts';
import { manualClock } from '../../support/manual-clock.ts';
import type { Chance } from '../chance.ts';
import { mutateTexts } from '../mutate.ts';
import { must, type Read, type Target, take } from '../target.ts';

/** Entry texts that come from people and other systems: names, reasons, callers, messages. */
const TEXTS: readonly [string, ...string[]] = [
  ...(["=cmd|' /C calc'!A0", '@SUM(1+1)*cmd', '+1', '-2+3', '\t=1', '\uff1d1', "'=1", 'a,b"c"\r\nd'] as const),
  ...(['<img src=x onerror=alert(1)>', '</script>', '{"a":1}', 'Zoë 🦊', '', ' ', '\u2028', '{{7*7}}'] as const),
];

function entriesOf(chain: string, chance: Chance): readonly LedgerEntry[] {
  const text = (): string => {
    const whole = chance.pick(TEXTS);
    return chance.oneIn(3) ? mutateTexts(whole, chance) : whole;
  };
  const parts = Array.from(
    { length: 1 + chance.below(3) },
    (_, n): Partial<EntryDraft> => ({
      at: time(n * 1_000),
      type: ENTRY_TYPES[chance.below(ENTRY_TYPES.length)] ?? 'DriftDetected',
      ...{ runId: text(), actor: text(), reason: text(), rule: text(), policyHash: text() },
      api: { operation: text(), requestId: text(), clientToken: null },
      detail: { message: text(), selector: text(), account: { name: text(), ou: text(), state: 'ACTIVE' } },
    }),
  );
  return sealAll(chain, parts);
}

const document = z.object({ entries: z.array(z.unknown()) });
const finding = z.object({
  class_uid: z.literal(2003),
  time: z.number(),
  finding_info: z.object({ uid: z.string().min(1), title: z.string().min(1) }),
  unmapped: z.object({ rollcall: z.unknown() }),
});
const lines = (text: string): readonly unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));

/** Reads the entries back from each format. CSV has no types, so its cells are compared as text. */
const READERS: Readonly<Record<Exclude<ExportFormat, 'csv'>, (text: string) => readonly unknown[]>> = {
  json: (text) => document.parse(JSON.parse(text)).entries,
  ndjson: lines,
  ocsf: (text) => lines(text).map((event) => finding.parse(event).unmapped.rollcall),
};

function checkCsv(text: string, entries: readonly LedgerEntry[], input: string): void {
  const [header, ...rows] = parseCsv(text);
  must(header?.join() === CSV_COLUMNS.join(), 'an unexpected header', input);
  must(rows.length === entries.length, `${rows.length} rows of ${entries.length} entries`, input);
  for (const [n, row] of rows.entries()) {
    must(row.length === CSV_COLUMNS.length, `row ${n} has ${row.length} cells`, input);
    for (const cell of row) must(!FORMULA.test(cell), `a formula: ${cell}`, input);
    const told = (name: string) => unguarded(row[CSV_COLUMNS.indexOf(name)] ?? '');
    const { reason, actor, detail } = entries[n] ?? {};
    const [wrote, read] = [
      [reason, actor, detail?.message],
      [told('reason'), told('actor'), told('message')],
    ];
    must(JSON.stringify(wrote) === JSON.stringify(read), `row ${n} says ${JSON.stringify(read)}`, input);
  }
}

/** Entries with hostile texts, stored and exported: each format returns them completely, and no cell is a formula. */
async function exportAll(store: EmbeddedStore, entries: readonly LedgerEntry[], input: string): Promise<void> {
  await store.ledger.append(entries);
  const [{ accountId } = { accountId: null }] = entries;
  if (accountId === null) throw new Error('entries are about an account');
  const wanted = canonicalJson(entries);
  for (const format of EXPORT_FORMATS) {
    let text = '';
    for await (const piece of auditExport(store.ledger, { filter: { accountId }, format, version: '1' })) text += piece;
    if (format === 'csv') checkCsv(text, entries, input);
    else must(canonicalJson(READERS[format](text)) === wanted, `${format} differs from the stored entries`, input);
  }
}

export const exportTarget: Target = {
  name: 'export',
  share: 4,
  takesAll: true,
  open: async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-fuzz-export-'));
    const store = await openEmbeddedStore({ ...HOST, dataDir, clock: manualClock(), newId: () => 'id' });
    let made = 0;
    return {
      make: (chance): Read => {
        made += 1;
        const entries = entriesOf(account(made), chance);
        const input = canonicalJson(entries);
        return take(
          input,
          () => exportAll(store, entries, input),
          () => false,
        );
      },
      corpus: [],
      close: async () => {
        await store.close();
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  },
};
