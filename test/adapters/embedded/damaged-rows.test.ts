import { closeSync, openSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportOf } from '../../../services/cli/errors.ts';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { readControls } from '../../../shared/app/guardrails/controls.ts';
import { verifyLedger } from '../../../shared/app/queries/audit/verify.ts';
import { TamperedError } from '../../../shared/ports/ledger.ts';
import { DamagedRegisterError } from '../../../shared/ports/registers.ts';
import { account, chainOf, facts, record, sealAll } from '../../contract/samples.ts';
import { type Bench, makeBench } from './stores.ts';

let bench: Bench;
beforeEach(() => {
  bench = makeBench();
});
afterEach(() => bench.dispose());

const CHAIN = account(7);

/** A store with one document of each kind, whose rows the test edits directly. */
async function edited(statement: string) {
  const store = await bench.open();
  await store.ledger.append(chainOf(CHAIN, 3));
  await store.records.advance([record(CHAIN, 3), record(account(8), 1)]);
  await store.snapshots.save({
    organizationId: 'o',
    managementAccountId: CHAIN,
    takenAt: 1,
    tags: true,
    accounts: [facts(7)],
  });
  const db = new DatabaseSync(databasePath(bench.dataDir));
  expect(db.prepare(statement).run().changes).toBe(1);
  db.close();
  return store;
}

async function drain(pages: AsyncIterable<readonly unknown[]>): Promise<void> {
  for await (const page of pages) expect(page.length).toBeGreaterThan(0);
}

describe('a row that was changed from outside', () => {
  it('rejects a record stored under the wrong account, and ends the read', async () => {
    const { records } = await edited(
      `UPDATE records SET body = replace(body, '${CHAIN}', '000000000000') WHERE account_id = '${CHAIN}'`,
    );
    const refused = { code: 'Corrupt', message: expect.stringMatching(/is stored under a wrong account_id/) };
    await expect(drain(records.all())).rejects.toMatchObject(refused);
    await expect(records.get(CHAIN)).rejects.toMatchObject(refused);
    await expect(records.getMany([CHAIN])).rejects.toMatchObject(refused);
  });

  it('rejects an organization account stored under the wrong account, too', async () => {
    const store = await edited(`UPDATE facts SET body = replace(body, '${CHAIN}', '000000000000')`);
    await expect(store.snapshots.get(CHAIN)).rejects.toMatchObject({ code: 'Corrupt' });
    await expect(store.snapshots.load()).rejects.toMatchObject({ code: 'Corrupt' });
  });

  it('verification reports an entry with an invalid time and continues', async () => {
    const { ledger, records } = await edited(
      `UPDATE ledger SET body = replace(body, '2026-03-01T12:00:01', 'yesterday at 12:00') WHERE seq = 2`,
    );
    expect((await verifyLedger(ledger, records)).fault).toMatchObject({ kind: 'edit', chain: CHAIN, seq: 2 });
    const error: unknown = await ledger.read(CHAIN, 0, 10).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TamperedError);
    expect(reportOf(error)).toMatchObject({
      code: 'Tampered',
      message: expect.stringMatching(/100000000007.*audit verify/),
    });
  });

  it.each([
    [{ runId: 'a', actor: 'b\u001fc' }, { run_id: 'a\u001fb', actor: 'c' }, 'actor'],
    [{ runId: '\u001e', actor: 'b' }, { run_id: null }, 'run_id'],
    [{ runId: null, actor: 'b' }, { run_id: '\u001e' }, 'run_id'],
    [{ runId: '', actor: 'b' }, { run_id: null }, 'run_id'],
    [{ runId: 'a', actor: 'b' }, { opt_out: 1 }, 'opt_out'],
    [{ runId: 'a', actor: 'b' }, { at: 1 }, 'at'],
  ])('compares each column by itself: %j is not %j', async (fields, columns, name) => {
    const { ledger } = await bench.open();
    await ledger.append(sealAll(CHAIN, [fields]));
    expect(await ledger.read(CHAIN, 0, 10)).toMatchObject([fields]);
    const db = new DatabaseSync(databasePath(bench.dataDir));
    for (const [column, value] of Object.entries(columns)) db.prepare(`UPDATE ledger SET ${column} = ?`).run(value);
    db.close();
    const error: unknown = await ledger.read(CHAIN, 0, 10).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TamperedError);
    expect(error).toMatchObject({ message: `entry 1 is found under another ${name} than it has` });
  });

  it.each([
    ['$.computeOptimizer.verdict', '{"0":-1,"toString":{}}'],
    ['$.computeOptimizer.verdict', '"Fine"'],
    ['$.computeOptimizer.since', '7'],
    ['$.computeOptimizer.attempts', '"many"'],
    ['$.computeOptimizer.reason', '{}'],
    ['$.computeOptimizer.claim', '{"entryId":7}'],
    ['$.computeOptimizer.setBacks', '[1]'],
  ])('an impossible condition is reported as damage, not as an internal error: %s', async (path, value) => {
    const { records } = await edited(
      `UPDATE records SET body = json_set(body, '${path}', json('${value}')) WHERE account_id = '${CHAIN}'`,
    );
    const refused = { code: 'Corrupt', message: expect.stringMatching(/an account record/) };
    await expect(drain(records.all())).rejects.toMatchObject(refused);
    await expect(records.get(CHAIN)).rejects.toMatchObject(refused);
  });

  it('a number outside the range of JavaScript is reported as damage, not as an internal error', async () => {
    const { records } = await edited(`UPDATE records SET seq = 9007199254740993 WHERE account_id = '${CHAIN}'`);
    await expect(records.get(CHAIN)).rejects.toMatchObject({ code: 'Corrupt' });
  });
});

it('a header with another format is reported as damage, not as an internal error', async () => {
  await (await bench.open()).close();
  const file = openSync(databasePath(bench.dataDir), 'r+');
  // The schema format number [sqlite.org/fileformat2.html].
  writeSync(file, Buffer.from([0, 0, 0, 9]), 0, 4, 44);
  closeSync(file);
  await expect(bench.open()).rejects.toMatchObject({ code: 'Corrupt' });
});

describe('a register that was changed from outside', () => {
  it.each([
    ['another shape', { halt: 'yes' }, /^register controls .*halt: /],
    [
      'a suspension of nobody',
      {
        halt: null,
        notices: [],
        suspensions: [{ id: 'a', selector: 'ou:x', reason: null, until: null, at: 1, by: 'b' }],
      },
      /suspensions\.0\.selector: is not a selector/,
    ],
  ])('%s: is an error that names the register, never read as absent', async (_, value, message) => {
    const { registers } = await bench.open();
    await registers.write('controls', value, null);
    const error: unknown = await readControls(registers).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DamagedRegisterError);
    expect(reportOf(error)).toMatchObject({ code: 'Corrupt', message: expect.stringMatching(message) });
  });
});
