import { canonicalJson } from '../../domain/canonical-hash.ts';
import { type ChainHead, EMPTY_CHAIN, type LedgerEntry } from '../../domain/ledger/entry.ts';
import type { AppendOutcome, Ledger, LedgerPage, PageRequest } from '../../ports/ledger.ts';
import { chunksOf } from '../chunks.ts';
import { inShownOrder, isLedgerEntry, toEpoch } from '../stored-shapes.ts';
import type { Connection } from './connection.ts';
import { readChain } from './ledger-chain.ts';
import { changedSince } from './ledger-changes.ts';
import { ledgerCursor } from './ledger-cursor.ts';
import { readFacts } from './ledger-facts.ts';
import { readOutline } from './ledger-outline.ts';
import { type PlacedPage, type Statement, toStatement } from './ledger-query.ts';
import { pruneChain, readEnds, readTails } from './ledger-tails.ts';
import type { Row, Sql } from './sql.ts';

/** Entries per transaction. A scan may append thousands of entries in one call; other work runs between the transactions. */
const LARGEST_APPEND = 250;

export function sqliteLedger(connection: Connection): Ledger {
  return {
    async append(entries) {
      const timed = entries.map((entry) => ({ entry, at: toEpoch(entry.at) }));
      const refused = new Set<string>();
      const outcomes: AppendOutcome[] = [];
      for (const part of chunksOf(timed, LARGEST_APPEND)) {
        const ofPart = await connection.write((sql) => appendAll(sql, part, new Set(refused)));
        outcomes.push(...ofPart);
        for (const [n, { entry }] of part.entries()) if (ofPart[n] === 'headMoved') refused.add(entry.chain);
      }
      return outcomes;
    },
    head: (chain) => connection.read((sql) => headOfChain(sql, chain)),
    read: async (chain, afterSeq, limit) =>
      (await readChain(connection, chain, afterSeq, limit)).map(({ entry }) => inShownOrder(entry)),
    readStored: (chain, afterSeq, limit) => readChain(connection, chain, afterSeq, limit),
    async query(filter, page) {
      const statement = toStatement(filter, {
        limit: page.limit,
        order: page.order ?? 'newestFirst',
        after: placeAfter(page.cursor ?? null),
      });
      return connection.read((sql) => runQuery(sql, statement, page));
    },
    async changedSince(since) {
      const from = toEpoch(since);
      return connection.read((sql) => changedSince(sql, from));
    },
    async reachedSince(since) {
      const from = since === null ? null : toEpoch(since);
      return connection.read((sql) => reachedChains(sql, from));
    },
    facts: (period) => readFacts(connection, period),
    outline: (runId) => connection.read((sql) => readOutline(sql, runId)),
    unpublished: (limit) =>
      connection.read((sql) =>
        sql
          .all('SELECT body FROM ledger WHERE published = 0 ORDER BY position LIMIT ?', limit)
          .map((row) => toEntry(sql, row)),
      ),
    markPublished: (entries) =>
      connection.write((sql) => {
        for (const { chain, seq, hash } of entries) {
          const mark = 'UPDATE ledger SET published = 1 WHERE chain = ? AND seq = ? AND hash = ? AND published = 0';
          sql.run(mark, chain, seq, hash);
        }
      }),
    chains: (after, limit) =>
      connection.read((sql) =>
        sql
          .all('SELECT chain FROM chains WHERE chain > ? ORDER BY chain LIMIT ?', after ?? '', limit)
          .map((row) => sql.text(row, 'chain')),
      ),
    ends: () => readEnds(connection),
    tails: (until) => readTails(connection, toEpoch(until), toEntry),
    prune: (chain, throughSeq, limit) => pruneChain(connection, chain, throughSeq, limit),
  };
}

interface Timed {
  readonly entry: LedgerEntry;
  /** `entry.at` in epoch ms. */
  readonly at: number;
}

/** @param refused the chains of which an earlier entry was refused; this function adds more */
function appendAll(sql: Sql, entries: readonly Timed[], refused: Set<string>): readonly AppendOutcome[] {
  return entries.map(({ entry, at }) => {
    const outcome = refused.has(entry.chain) ? 'headMoved' : appendOne(sql, entry, at);
    if (outcome === 'headMoved') refused.add(entry.chain);
    return outcome;
  });
}

/** Call it inside a transaction. */
export function appendOne(sql: Sql, entry: LedgerEntry, at: number): AppendOutcome {
  const { chain, seq, hash } = entry;
  const head = headOfChain(sql, chain);
  if (seq <= head.seq) {
    // If an earlier attempt stored this entry but its answer was lost, the retry finds it here.
    const stored = sql.get('SELECT hash FROM ledger WHERE chain = ? AND seq = ?', chain, seq);
    return stored !== undefined && sql.text(stored, 'hash') === hash ? 'appended' : 'headMoved';
  }
  if (seq !== head.seq + 1 || entry.prevHash !== head.hash) return 'headMoved';
  sql.run(
    `INSERT INTO ledger (chain, seq, hash, at, type, account_id, enrollment, run_id, actor, opt_out, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[chain, seq, hash, at, entry.type, entry.accountId, entry.enrollment, entry.runId, entry.actor],
    entry.detail?.optOut === true ? 1 : 0,
    // The stored text must be exactly the hashed text. Otherwise verification would report the entry as changed.
    canonicalJson(entry),
  );
  sql.run(
    'INSERT INTO chains VALUES (?1, ?2, ?3) ON CONFLICT (chain) DO UPDATE SET seq = ?2, hash = ?3',
    ...[chain, seq, hash],
  );
  return 'appended';
}

export function headOfChain(sql: Sql, chain: string): ChainHead {
  const row = sql.get('SELECT seq, hash FROM chains WHERE chain = ?', chain);
  return row === undefined ? EMPTY_CHAIN : { seq: sql.number(row, 'seq'), hash: sql.text(row, 'hash') };
}

function reachedChains(sql: Sql, from: number | null): ReadonlyMap<string, number> {
  const rows =
    from === null
      ? sql.each('SELECT chain, seq FROM chains WHERE seq > 0')
      : sql.each('SELECT chain, max(seq) AS seq FROM ledger INDEXED BY ledger_at WHERE at >= ? GROUP BY chain', from);
  const reached = new Map<string, number>();
  for (const row of rows) reached.set(sql.text(row, 'chain'), sql.number(row, 'seq'));
  return reached;
}

function placeAfter(cursor: string | null): PlacedPage['after'] {
  if (cursor === null) return null;
  const [, at, position] = ledgerCursor.decode(cursor);
  return [at, position];
}

function runQuery(sql: Sql, { text, parameters }: Statement, { limit }: PageRequest): LedgerPage {
  const rows = sql.all(text, ...parameters);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next =
    rows.length > limit && last !== undefined
      ? ledgerCursor.encode([1, sql.number(last, 'at'), sql.number(last, 'position')])
      : null;
  return { entries: shown.map((row) => toEntry(sql, row)), next };
}

export function toEntry(sql: Sql, row: Row): LedgerEntry {
  return inShownOrder(sql.json(row, 'body', 'a ledger entry', isLedgerEntry));
}
