import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { reportOf } from '../../../services/cli/errors.ts';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { verifyLedger } from '../../../shared/app/queries/audit/verify.ts';
import { status } from '../../../shared/app/queries/status.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { chainOf, facts, record, sealAll, time, work } from '../../contract/samples.ts';
import { HOST } from '../../support/host.ts';
import { manualClock } from '../../support/manual-clock.ts';
import type { Chance } from '../chance.ts';
import { anyJson, jsonText, mutateBytes, mutateJson, mutateText } from '../mutate.ts';
import { type Opened, type Read, type Target, take } from '../target.ts';

const newId = (): string => '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const ACCOUNT = '100000000001';

/** Errors with a clear message for the user. Any other error is a defect. */
function isClear(error: unknown): boolean {
  const { code, message } = reportOf(error);
  if (error instanceof StoreError && error.code === 'Internal') return false;
  return code !== 'Internal' && message.length > 20 && message.length < 4_000;
}

async function fill(store: EmbeddedStore): Promise<void> {
  const chain = chainOf(ACCOUNT, 30);
  await store.ledger.append([...chain, ...sealAll('organization', [{ type: 'ScanStarted', at: time(5) }])]);
  const last = chain.at(-1);
  if (last === undefined) throw new Error('no entries');
  await store.records.advance([{ ...record(ACCOUNT, 30), head: { seq: last.seq, hash: last.hash } }]);
  await store.queue.send([work(1), work(2)]);
  const [first] = await store.queue.receive(1, 1_000);
  if (first !== undefined) await store.queue.deadLetter(first, { code: 'A', message: 'b', entryId: null });
  await store.snapshots.save({
    ...{ organizationId: 'o-aaaaaaaaaa', managementAccountId: ACCOUNT, takenAt: 1, tags: true },
    accounts: [facts(1), facts(2)],
  });
  await store.registers.write('controls', { halt: null, suspensions: [], notices: [] }, null);
}

/** Reads the whole store once. */
async function readAll(dataDir: string): Promise<'accepted' | 'refused'> {
  const clock = manualClock();
  const store = await openEmbeddedStore({ ...HOST, dataDir, clock, newId, readOnly: true, busyTimeoutMs: 50 });
  const refused: unknown[] = [];
  const each = async (read: () => Promise<unknown>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      refused.push(error);
    }
  };
  try {
    await each(() => verifyLedger(store.ledger, store.records));
    await each(() => store.ledger.query({ accountId: ACCOUNT }, { limit: 20 }));
    await each(() => store.ledger.query({}, { limit: 50, order: 'oldestFirst' }));
    await each(() => store.ledger.unpublished(50));
    await each(() => store.ledger.changedSince(time(0)));
    await each(() => store.ledger.reachedSince(time(0)));
    await each(async () => {
      for await (const _ of store.ledger.facts({}));
    });
    await each(async () => {
      for await (const _ of store.records.all());
    });
    await each(() => store.records.due(Number.MAX_SAFE_INTEGER, 10));
    await each(() => store.deadLetters.list(10));
    await each(() => store.snapshots.load());
    await each(() => store.snapshots.get(ACCOUNT));
    await each(() => store.registers.list(''));
    await each(() => status(store));
  } finally {
    await store.close();
  }
  for (const error of refused) if (!isClear(error)) throw error;
  return refused.length > 0 ? 'refused' : 'accepted';
}

interface Place {
  readonly dataDir: string;
  readonly valid: Uint8Array;
  dispose(): void;
}

async function makePlace(): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-fuzz-store-'));
  const dataDir = join(directory, 'data');
  const store = await openEmbeddedStore({ ...HOST, dataDir, clock: manualClock(), newId });
  await fill(store);
  await store.close();
  return {
    dataDir,
    valid: readFileSync(databasePath(dataDir)),
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function fresh({ dataDir }: Place, bytes: Uint8Array): void {
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(databasePath(dataDir), bytes);
}

/** The file itself, damaged: bytes, pages, its header, its end. */
export const storeFileTarget: Target = {
  name: 'store-file',
  share: 2,
  open: async (): Promise<Opened> => {
    const place = await makePlace();
    return {
      make: (chance): Read => {
        const copy = mutateBytes(place.valid, chance);
        // The header controls most of the reading, so it is damaged most often.
        if (copy.length > 100 && chance.oneIn(3)) copy[chance.below(100)] = chance.below(256);
        const input = `base64:${Buffer.from(copy).toString('base64').slice(0, 400)}…`;
        return take(
          input,
          () => {
            fresh(place, copy);
            return readAll(place.dataDir);
          },
          isClear,
        );
      },
      corpus: [],
      close: async () => place.dispose(),
    };
  },
};

type Column = readonly [table: string, key: string, column: string];
const LEDGER = ['body', 'body', 'body', 'body', 'type', 'at', 'hash', 'seq', 'opt_out', 'position'];
const COLUMNS: readonly [Column, ...Column[]] = [
  ['snapshot', 'only_row', 'body'],
  ['facts', 'account_id', 'body'],
  ...LEDGER.map((name): Column => ['ledger', 'position', name]),
  ...['body', 'body', 'seq', 'wake_at'].map((name): Column => ['records', 'account_id', name]),
  ...['body', 'at', 'message'].map((name): Column => ['dead_letters', 'id', name]),
  ...['seq', 'hash'].map((name): Column => ['chains', 'chain', name]),
  ...['body', 'body', 'version'].map((name): Column => ['registers', 'name', name]),
];

/** Edited rows of an intact file, as with a database browser. */
export const storeRowsTarget: Target = {
  name: 'store-rows',
  share: 2,
  open: async (): Promise<Opened> => {
    const place = await makePlace();
    const path = databasePath(place.dataDir);
    const edit = (chance: Chance): string => {
      const [table, key, column] = chance.pick(COLUMNS);
      const db = new DatabaseSync(path);
      try {
        db.exec('PRAGMA synchronous = OFF');
        const rows = db.prepare(`SELECT ${key} AS id, ${column} AS held FROM ${table}`).all();
        const row = rows[chance.below(rows.length)];
        const value = otherValue(row?.['held'], chance);
        try {
          db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`).run(value, row?.['id'] ?? 1);
        } catch (error) {
          return `${table}.${column} is not changed: ${error instanceof Error ? error.message : ''}`;
        }
        return `${table}.${column} = ${String(value)}`;
      } finally {
        db.close();
      }
    };
    return {
      make: (chance): Read => {
        fresh(place, place.valid);
        const input = edit(chance);
        return take(input, () => readAll(place.dataDir), isClear);
      },
      corpus: [],
      close: async () => place.dispose(),
    };
  },
};

function otherValue(held: unknown, chance: Chance): string | number | bigint | null {
  if (typeof held === 'number')
    return chance.pick([0, -1, held + 1, 9_007_199_254_740_993n, -9_223_372_036_854_775_808n, 8_640_000_000_000_001]);
  if (typeof held !== 'string') return null;
  const json = held.startsWith('{');
  if (json && chance.below(4) > 0) {
    const value: unknown = JSON.parse(held);
    return jsonText(chance.oneIn(20) ? anyJson(chance) : mutateJson(value, chance)).toWellFormed();
  }
  return mutateText(held, chance).toWellFormed();
}
