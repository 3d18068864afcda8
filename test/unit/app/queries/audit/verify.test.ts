import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { databasePath } from '../../../../../shared/adapters/embedded/file.ts';
import type { EmbeddedStore } from '../../../../../shared/adapters/embedded/store.ts';
import { listOf, ownDigests, writeDigest } from '../../../../../shared/app/ledger/digest.ts';
import { pruneOld } from '../../../../../shared/app/ledger/retention.ts';
import { type VerifyResult, verifyLedger, verifySchema } from '../../../../../shared/app/queries/audit/verify.ts';
import { emptyRecord, foldEntry } from '../../../../../shared/domain/account/record.ts';
import { canonicalJson } from '../../../../../shared/domain/canonical-hash.ts';
import { digestsIn } from '../../../../../shared/domain/ledger/digest.ts';
import {
  type Digest,
  headOf,
  type LedgerEntry,
  ORGANIZATION_CHAIN,
  sealEntry,
} from '../../../../../shared/domain/ledger/entry.ts';
import { type Bench, makeBench } from '../../../../adapters/embedded/stores.ts';
import { account, anyEntry, chainOf, draft, range, sealAll } from '../../../../contract/samples.ts';

const DAY = 86_400_000;
let bench: Bench;
let store: EmbeddedStore;
beforeEach(async () => {
  bench = makeBench();
  store = await bench.open();
});
afterEach(() => bench.dispose());

const deps = () => ({ ...store, clock: bench.clock, newId: bench.newId, actor: 'test' });

async function fill(chains: readonly (readonly LedgerEntry[])[]): Promise<void> {
  await store.ledger.append(chains.flat());
  const records = chains
    .filter(([first]) => first?.chain !== ORGANIZATION_CHAIN)
    .map((entries) => entries.reduce(foldEntry, emptyRecord(entries[0]?.chain ?? '')));
  await store.records.advance(records);
}

/** Behind the store's back. */
function tamper(...sql: readonly string[]): void {
  const db = new DatabaseSync(databasePath(bench.dataDir));
  for (const each of sql) db.exec(each);
  db.close();
}

async function verify(digests: readonly Digest[] = []): Promise<VerifyResult> {
  const result = await verifyLedger(store.ledger, store.records, {
    digests,
    listOf: (digest) => listOf(store.registers, digest),
  });
  expect(verifySchema.parse(result)).toEqual(result);
  return result;
}

const A = account(1);
const kinds = ({ faults }: VerifyResult) => faults.map(({ kind, chain, seq }) => `${kind} ${chain} ${seq}`);

/** Other texts of the same JSON value. Some readers get another entry from them: SQLite, for example, takes the first of two equal keys. */
const OTHER_FORMS: Readonly<Record<string, (text: string) => string>> = {
  'a space': (text) => text.replace('"seq":', '"seq": '),
  'a space that another form of a number hides': (text) => text.replace('"attempts":100', '"attempts": 1e2'),
  'a repeated key': (text) => text.replace('{"accountId"', '{"actor":"mallory","accountId"'),
  'a key that Rollcall does not know': (text) => text.replace('"type":', '"note":"checked","type":'),
  'another order': (text) => text.replace(/("accountId":"\d+"),("actor":"[^"]*")/, '$2,$1'),
  'an escape that is not needed': (text) => text.replace('"reason":"entry', '"reason":"\\u0065ntry'),
};

describe('verify', () => {
  it.each(Object.entries(OTHER_FORMS))('rejects a stored text with %s', async (_, change) => {
    const detail = { summary: { attempts: 100, nested: [1, 2, { deep: null }], name: 'plain' } };
    await store.ledger.append(sealAll(A, [{}, { detail, reason: 'entry 2' }, { reason: 'with a "quote"' }]));
    expect(await verify()).toMatchObject({ ok: true, entries: 3, faults: [] });
    const [before] = (await store.ledger.readStored(A, 1, 1)).map(({ text }) => text);
    if (before === undefined) expect.fail('no entry');
    const after = change(before);
    expect(after).not.toBe(before);
    tamper(`UPDATE ledger SET body = '${after.replaceAll("'", "''")}' WHERE seq = 2`);
    expect(kinds(await verify())).toEqual([`edit ${A} 2`]);
  });

  it('names the first broken link of each kind in one result', async () => {
    await fill(range(5).map((n) => chainOf(account(n), 6)));
    expect(await verify()).toMatchObject({ ok: true, chains: 5, entries: 30, fault: null, faults: [], pruned: 0 });
    const [rival] = sealAll(account(3), [{ reason: 'rival' }], { seq: 3, hash: 'f'.repeat(64) });
    tamper(
      `UPDATE ledger SET body = replace(body, 'entry 2', 'entry X') WHERE seq = 3 AND chain IN ('${account(0)}', '${account(4)}')`,
      `DELETE FROM ledger WHERE chain IN ('${account(1)}', '${account(2)}') AND seq = 2`,
      `UPDATE ledger SET body = '${canonicalJson(rival).replaceAll("'", "''")}', hash = '${rival?.hash}', at = ${Date.parse(rival?.at ?? '')} WHERE chain = '${account(3)}' AND seq = 4`,
      `DELETE FROM ledger WHERE chain = '${account(4)}' AND seq > 4`,
    );
    const result = await verify();
    expect(result.ok).toBe(false);
    expect(kinds(result)).toEqual([
      `edit ${account(0)} 3`,
      `gap ${account(1)} 3`,
      `fork ${account(3)} 4`,
      `truncation ${account(4)} 6`,
    ]);
    expect(result.fault).toEqual(result.faults[0]);
  });

  it('continues after an entry that it cannot read', async () => {
    await fill([chainOf(A, 6)]);
    tamper("UPDATE ledger SET actor = 'somebody' WHERE seq = 2", 'DELETE FROM ledger WHERE seq = 5');
    expect(kinds(await verify())).toEqual([`edit ${A} 2`, `gap ${A} 6`]);
  });

  it('finds every kind of tampering, before and after pruning', async () => {
    const attack = fc.record({
      chain: fc.nat(2),
      // Of the entries that are there: which one.
      share: fc.double({ min: 0, max: 0.999, noNaN: true }),
      how: fc.constantFrom('edit', 'reseal', 'delete', 'cut', 'drop chain', 'renumber', 'end') as fc.Arbitrary<string>,
      pruned: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(attack, async ({ chain: n, share, how, pruned }) => {
        await bench.dispose();
        bench = makeBench();
        store = await bench.open();
        await fill(range(3).map((each) => chainOf(account(each), 8)));
        if (pruned) {
          await bench.clock.advance(3 * DAY);
          await store.ledger.append([
            sealEntry(
              draft({ chain: account(0), at: new Date(bench.clock.now()).toISOString() }),
              await store.ledger.head(account(0)),
            ),
          ]);
          expect(await pruneOld(deps(), DAY, anyEntry)).toMatchObject({ chains: 3, entries: 24 });
        }
        expect((await verify()).ok).toBe(true);
        const chain = account(n);
        const entries = await store.ledger.read(chain, 0, 100);
        const target = entries[Math.floor(share * entries.length)];
        if (target === undefined) throw new Error('a chain without entries');
        const at = `WHERE chain = '${chain}' AND seq = ${target.seq}`;
        const edited = { ...target, actor: 'mallory' };
        const resealed = sealEntry(edited, { seq: target.seq - 1, hash: target.prevHash });
        const write = (entry: LedgerEntry) =>
          `UPDATE ledger SET actor = 'mallory', hash = '${entry.hash}', body = '${canonicalJson(entry).replaceAll("'", "''")}' ${at}`;
        const attacks: Record<string, readonly string[]> = {
          edit: [write(edited)],
          reseal: [write(resealed)],
          delete: [`DELETE FROM ledger ${at}`],
          cut: [
            `DELETE FROM ledger WHERE chain = '${chain}' AND seq >= ${target.seq}`,
            `UPDATE chains SET seq = ${target.seq - 1}, hash = '${target.prevHash}' WHERE chain = '${chain}'`,
          ],
          'drop chain': [`DELETE FROM ledger WHERE chain = '${chain}'`, `DELETE FROM chains WHERE chain = '${chain}'`],
          renumber: [`UPDATE ledger SET seq = 99 ${at}`],
          end: [`UPDATE chains SET hash = '${'0'.repeat(64)}' WHERE chain = '${chain}'`],
        };
        tamper(...(attacks[how] ?? []));
        const result = await verify();
        expect(result.ok, JSON.stringify(result)).toBe(false);
        expect(result.faults.every((fault) => fault.chain === chain)).toBe(true);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('recognizes an interrupted pruning', async () => {
    await fill([chainOf(A, 8)]);
    await bench.clock.advance(3 * DAY);
    await pruneOld({ ...deps(), ledger: { ...store.ledger, prune: async () => 0 } }, DAY, anyEntry);
    expect((await store.ledger.read(A, 0, 20)).map(({ seq }) => seq)).toEqual(range(9).map((n) => n + 1));
    tamper('DELETE FROM ledger WHERE seq IN (1, 2, 5)');
    expect(await verify()).toMatchObject({ ok: true, pruned: 8 });
    await bench.clock.advance(3_600_001);
    await pruneOld(deps(), DAY, anyEntry);
    expect((await store.ledger.read(A, 0, 20)).map(({ type }) => type)).toEqual(['ChainPruned']);
    expect(await verify()).toMatchObject({ ok: true, entries: 1, pruned: 8 });
  });

  it('a forged checkpoint does not hide removed entries', async () => {
    await fill([chainOf(A, 8)]);
    const [third] = await store.ledger.read(A, 2, 1);
    const through = { seq: 3, hash: 'a'.repeat(64) };
    const checkpoint = { through, throughAt: third?.at ?? '', state: null, current: null };
    const forged = draft({ chain: A, type: 'ChainPruned', enrollment: null, detail: { checkpoint } });
    await store.ledger.append([sealEntry(forged, await store.ledger.head(A))]);
    tamper('DELETE FROM ledger WHERE seq <= 3');
    expect(kinds(await verify())).toEqual([`fork ${A} 4`]);
  });
});

describe('the digest', () => {
  it('is written once a day, even by concurrent processes, and begins a chain like any entry', async () => {
    await fill([chainOf(A, 3)]);
    const others = await Promise.all(range(4).map(() => bench.open()));
    const write = () =>
      Promise.all(
        [store, ...others].map((each) => writeDigest({ ...deps(), ledger: each.ledger, registers: each.registers })),
      );
    await write();
    await bench.clock.advance(3_600_000);
    await write();
    expect(await store.ledger.read(ORGANIZATION_CHAIN, 0, 10)).toMatchObject([
      { type: 'DigestPublished', accountId: null, detail: { digest: { chains: 1, entries: 3 } } },
    ]);
    expect(await store.ledger.unpublished(10)).toHaveLength(4);
    await bench.clock.advance(DAY);
    await write();
    const digests = await store.ledger.query({ type: 'DigestPublished' }, { limit: 10 });
    expect(digests.entries.map(({ detail }) => detail?.digest?.entries)).toEqual([4, 3]);
    expect(await store.registers.list('digest-list/')).toHaveLength(2);
    expect(await verify(digests.entries.flatMap(({ detail }) => detail?.digest ?? []))).toMatchObject({
      ok: true,
      digests: [{ outcome: 'matches' }, { outcome: 'matches' }],
    });
  });

  it('is finished by the next process where one died between agreeing on it and appending it', async () => {
    await fill([chainOf(A, 3)]);
    const dying = { ...store.ledger, append: () => Promise.reject(new Error('died')) };
    await expect(writeDigest({ ...deps(), ledger: dying })).rejects.toThrow('died');
    // Meanwhile its place is taken.
    await store.ledger.append(chainOf(ORGANIZATION_CHAIN, 2));
    const written = await writeDigest(deps());
    expect(written).toMatchObject({ seq: 3, type: 'DigestPublished', detail: { digest: { chains: 1 } } });
    expect(await writeDigest(deps())).toBeNull();
    expect(await verify(await ownDigests(store.ledger, null))).toMatchObject({ ok: true });
  });

  it('reports no fault for an empty ledger', async () => {
    expect(await writeDigest(deps())).toBeNull();
  });

  it.each([
    [
      'every chain cut back to an earlier, consistent state',
      `DELETE FROM ledger WHERE seq > 2; UPDATE chains SET seq = 2, hash = (SELECT hash FROM ledger l WHERE l.chain = chains.chain AND l.seq = 2); DELETE FROM records`,
      'truncation',
    ],
    [
      'a whole chain',
      `DELETE FROM ledger WHERE chain = '${account(2)}'; DELETE FROM chains WHERE chain = '${account(2)}'; DELETE FROM records`,
      'truncation',
    ],
    ['everything', 'DELETE FROM ledger; DELETE FROM chains; DELETE FROM records', 'truncation'],
    ['the list that it is over', `UPDATE registers SET body = '{}' WHERE name LIKE 'digest-list/%'`, null],
    ['the register of the list', `DELETE FROM registers WHERE name LIKE 'digest-list/%'`, null],
  ])('proves that the store lost %s', async (_, sql, kind) => {
    await fill([chainOf(account(1), 4), chainOf(account(2), 5), chainOf(ORGANIZATION_CHAIN, 3)]);
    const entry = await writeDigest(deps());
    const event = JSON.stringify({ source: 'rollcall', 'detail-type': 'Digest Published', detail: entry });
    const kept = digestsIn(`${event}\n`);
    expect(kept).toHaveLength(1);
    expect(await verify(kept)).toMatchObject({ ok: true, digests: [{ outcome: 'matches' }] });
    tamper(sql);
    const result = await verify(kept);
    expect(result.ok).toBe(false);
    expect(result.digests).toMatchObject([{ outcome: kind === null ? 'unknown' : 'differs' }]);
    if (kind !== null) expect(result.faults.map((fault) => fault.kind)).toContain(kind);
  });

  it('shows a chain that was rewritten from its first entry on, which verifies by itself', async () => {
    await fill([chainOf(A, 4)]);
    const entry = await writeDigest(deps());
    const forged = sealAll(
      A,
      range(4).map((n) => ({ reason: `forged ${n}` })),
    );
    tamper(`DELETE FROM ledger WHERE chain = '${A}'; DELETE FROM chains WHERE chain = '${A}'; DELETE FROM records`);
    await store.ledger.append(forged);
    expect(await verify()).toMatchObject({ ok: true });
    expect(await verify(digestsIn(JSON.stringify(entry)))).toMatchObject({
      ok: false,
      digests: [{ outcome: 'differs' }],
    });
  });

  it('is compared by length alone once entries that it is over were pruned', async () => {
    await fill([chainOf(A, 4), chainOf(account(2), 2)]);
    const kept = digestsIn(JSON.stringify(await writeDigest(deps())));
    await bench.clock.advance(3 * DAY);
    const [last] = chainOf(A, 4).slice(-1);
    if (last === undefined) throw new Error('no entry');
    await store.ledger.append([sealEntry(draft({ chain: A }), headOf(last))]);
    for (let more = true; more; ) more = (await pruneOld(deps(), DAY, anyEntry)).more;
    expect(await verify(kept)).toMatchObject({ ok: true, digests: [{ outcome: 'pruned' }] });
    tamper(
      `DELETE FROM ledger WHERE chain = '${account(2)}'; DELETE FROM chains WHERE chain = '${account(2)}'; DELETE FROM records`,
    );
    expect(await verify(kept)).toMatchObject({ ok: false, digests: [{ outcome: 'differs' }] });
  });
});
