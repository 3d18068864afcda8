import { describe, expect, it } from 'vitest';
import { pruneOld } from '../../../../../shared/app/ledger/retention.ts';
import { verifyLedger } from '../../../../../shared/app/queries/audit/verify.ts';
import { readLog } from '../../../../../shared/app/queries/audit/verify-checkpoint.ts';
import { loggedThrough } from '../../../../../shared/app/transparency/chain-places.ts';
import { signedCheckpoint } from '../../../../../shared/app/transparency/sign-checkpoint.ts';
import { ORGANIZATION_CHAIN } from '../../../../../shared/domain/ledger/entry.ts';
import { checkpointInNote } from '../../../../../shared/domain/transparency/checkpoint.ts';
import { EMPTY_ROOT } from '../../../../../shared/domain/transparency/hash.ts';
import type { Ledger } from '../../../../../shared/ports/ledger.ts';
import { memorySigner } from '../../transparency/checkpoint-parts.ts';
import { logBed } from '../../transparency/log-bed.ts';
import {
  A,
  B,
  type Bed,
  copiedBeforeCheckpoint,
  DAY,
  history,
  newBed,
  treeHead,
  verifyKept as verify,
} from './published-log.ts';

describe('the comparison with the log', () => {
  const compared = async ({ stores }: Pick<Bed, 'stores'>, ledger: Ledger = stores.ledger) =>
    verifyLedger(ledger, stores.records, { log: await readLog(stores) });

  it('counts what it has compared, and what the log does not have yet', async () => {
    const { bed } = await history();
    await bed.append(A, 4);
    expect(await compared(bed)).toMatchObject({
      ...{ ok: true, entries: 323 },
      log: { size: 318, compared: 318, waiting: 5, checkpoints: 4, problems: [] },
    });
    const none = logBed();
    await none.append(A, 3);
    expect((await compared(none)).log).toBeNull();
  });

  it('finds a removed tail and a removed chain, although the store hides both', async () => {
    const { bed } = await history();
    const { ledger } = bed.stores;
    const without = (chain: string, above: number, hash = ''): Ledger => ({
      ...ledger,
      readStored: async (of, after, limit) =>
        (await ledger.readStored(of, after, limit)).filter(({ entry }) => entry.chain !== chain || entry.seq <= above),
      async *ends() {
        for await (const page of ledger.ends()) {
          const kept = page.filter((end) => end.chain !== chain || above > 0);
          yield kept.map((end) => (end.chain === chain ? { chain, seq: above, hash } : end));
        }
      },
    });
    const last = (await ledger.read(A, 203, 1))[0]?.hash;
    expect((await compared(bed, without(A, 204, last))).fault).toEqual({
      ...{ kind: 'truncation', chain: A, seq: 206 },
      message: 'the transparency log has entry 206, but the chain ends at entry 204',
    });
    expect((await compared(bed, without(B, 0))).fault).toEqual({
      ...{ kind: 'truncation', chain: B, seq: 109 },
      message: 'the transparency log has entries up to 109, but the whole chain is missing',
    });
  });

  it('finds a checkpoint of the store that Rollcall cannot have signed for it', async () => {
    const forged = [
      [
        'rollcall/o-7f3a9c2e1d/abcdefgh',
        0,
        'its checkpoint covers no entries, and Rollcall never signs such a checkpoint',
      ],
      ['example.com/log', 3, 'its checkpoint belongs to the log example.com/log, which is not a log of Rollcall'],
      [
        'rollcall/o-another/abcdefgh',
        3,
        'its checkpoint belongs to organization o-another, but the store belongs to o-7f3a9c2e1d',
      ],
      [
        'rollcall/o-7f3a9c2e1d/abcdefgh',
        300,
        expect.stringMatching(/^its checkpoint belongs to the log .*never restored$/),
      ],
    ] as const;
    for (const [origin, size, message] of forged) {
      const { bed, notes } = await history();
      const root = size === 0 ? EMPTY_ROOT : checkpointInNote(notes[0] ?? '').root;
      const note = await signedCheckpoint(memorySigner(), origin, { size, root });
      await bed.append(ORGANIZATION_CHAIN, 1, { type: 'CheckpointPublished', detail: { treeHead: treeHead(note) } });
      const { ok, fault } = await compared(bed);
      expect([ok, fault]).toEqual([false, { kind: 'fork', chain: ORGANIZATION_CHAIN, seq: 5, message }]);
    }
  });

  it('reports a checkpoint published during a restore as ahead of the log, not as a fork', async () => {
    const bed = await newBed();
    const { note, putBack } = await copiedBeforeCheckpoint(bed);
    const { size, origin } = checkpointInNote(note);
    putBack();
    const restore = { file: 'backup.db', replaced: null, lost: null };
    await bed.append(ORGANIZATION_CHAIN, 1, { type: 'StoreRestored', detail: { restore } });
    await bed.append(ORGANIZATION_CHAIN, 1, { type: 'CheckpointPublished', detail: { treeHead: treeHead(note) } });
    expect(await compared(bed)).toMatchObject({
      ok: true,
      faults: [],
      log: { newest: { origin, size, lacks: size - 5 } },
    });
    await bed.clock.advance(DAY);
    const renewed = checkpointInNote(await bed.publish());
    expect(renewed.origin).not.toBe(origin);
    expect(await compared(bed)).toMatchObject({ ok: true, log: { newest: { origin: renewed.origin, lacks: null } } });
  });

  it('still has the restore that explains such a checkpoint after retention has removed older entries', async () => {
    const bed = await newBed();
    const { note, putBack } = await copiedBeforeCheckpoint(bed);
    putBack();
    await bed.clock.advance(5 * DAY);
    await bed.append(ORGANIZATION_CHAIN, 1, { type: 'StoreRestored' });
    await bed.clock.advance(DAY / 24);
    await bed.append(ORGANIZATION_CHAIN, 1, { type: 'CheckpointPublished', detail: { treeHead: treeHead(note) } });
    await bed.sequence();
    const typesAfter = async (ms: number): Promise<readonly string[]> => {
      await bed.clock.advance(ms);
      const deps = { ...bed.deps, records: bed.stores.records };
      for (let more = true; more; )
        ({ more } = await pruneOld(deps, 30 * DAY, (chain) => loggedThrough(bed.stores.registers, chain)));
      expect(await compared(bed)).toMatchObject({ ok: true, faults: [] });
      return (await bed.stores.ledger.read(ORGANIZATION_CHAIN, 0, 10)).map(({ type }) => type);
    };
    // The restore is just older than the retention, and the checkpoint is not.
    expect(await typesAfter(30 * DAY - DAY / 48)).toEqual(['StoreRestored', 'CheckpointPublished', 'ChainPruned']);
    expect(await typesAfter(10 * DAY)).toEqual(['ChainPruned', 'ChainPruned']);
  });

  it('finds bundles and tiles that were changed', async () => {
    const { bed } = await history();
    const { registers } = bed.stores;
    const tile = await registers.read('log-tile/1/0');
    await registers.write('log-tile/1/0', { hashes: Buffer.alloc(32).toString('base64') }, tile?.version ?? null);
    expect((await compared(bed)).log?.problems).toEqual(['tile 0 at level 1 does not have the hashes of the entries']);
    await registers.remove('log-bundle/1', (await registers.read('log-bundle/1'))?.version ?? '');
    const { ok, log } = await compared(bed);
    expect([ok, log?.size, log?.problems[0]]).toEqual([
      ...[false, 256, 'bundle 1 of the log has 0 entries, and 62 were written'],
    ]);
  });

  it('accepts a pruned store, and finds entries that are missing beyond the pruning', async () => {
    const { bed, notes } = await history();
    const deps = { ...bed.deps, records: bed.stores.records };
    await bed.clock.advance(90 * DAY);
    await bed.append(A, 1);
    await bed.sequence();
    for (let more = true; more; ) {
      ({ more } = await pruneOld(deps, 30 * DAY, (chain) => loggedThrough(bed.stores.registers, chain)));
    }
    expect((await bed.stores.ledger.read(A, 0, 10)).map(({ seq }) => seq)).toEqual([207, 208]);
    for (const note of notes) expect(await verify(bed, note)).toMatchObject({ ok: true });
  });
});
