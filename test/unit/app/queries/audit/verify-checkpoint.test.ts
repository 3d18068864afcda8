import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ORGANIZATION } from '../../../../../shared/app/coordination/organization-binding.ts';
import { writeTyped } from '../../../../../shared/app/coordination/typed-register.ts';
import { pruneOld } from '../../../../../shared/app/ledger/retention.ts';
import { verifyLedger } from '../../../../../shared/app/queries/audit/verify.ts';
import {
  readLog,
  verifyCheckpoint,
  verifyCheckpointSchema,
} from '../../../../../shared/app/queries/audit/verify-checkpoint.ts';
import { loggedThrough } from '../../../../../shared/app/transparency/chain-places.ts';
import { newestCheckpoint } from '../../../../../shared/app/transparency/log-reader.ts';
import { signedCheckpoint } from '../../../../../shared/app/transparency/sign-checkpoint.ts';
import { TransparencyLog } from '../../../../../shared/app/transparency/transparency-log.ts';
import { ORGANIZATION_CHAIN } from '../../../../../shared/domain/ledger/entry.ts';
import { checkpointInNote } from '../../../../../shared/domain/transparency/checkpoint.ts';
import { EMPTY_ROOT } from '../../../../../shared/domain/transparency/hash.ts';
import { writeVerifierKey } from '../../../../../shared/domain/transparency/verifier-key.ts';
import type { Ledger } from '../../../../../shared/ports/ledger.ts';
import type { Logger } from '../../../../../shared/ports/system.ts';
import { account } from '../../../../contract/samples.ts';
import { ed25519Key } from '../../../domain/transparency/sample-keys.ts';
import { keyNamed, memorySigner } from '../../transparency/checkpoint-parts.ts';
import { type LogBed, logBed } from '../../transparency/log-bed.ts';

const A = account(1);
const B = account(2);
const DAY = 86_400_000;
const silent = () => undefined;
const logger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

const treeHead = (note: string) => ({ note, previous: null, proof: [], witnesses: [] });

type Bed = LogBed & { readonly publish: () => Promise<string> };

async function newBed(organizationId = 'o-7f3a9c2e1d'): Promise<Bed> {
  const bed = logBed();
  const { stores, clock, deps } = bed;
  await writeTyped(stores.registers, ORGANIZATION, { organizationId, boundAt: 0, by: 'test' }, null);
  const log = new TransparencyLog({ ...deps, ...stores, logger }, 0);
  const checkpointing = async () => ({ signer: memorySigner(), archive: null, witnesses: [] });
  return {
    ...bed,
    /** Publishes a checkpoint over everything. @returns its note */
    async publish() {
      await clock.advance(DAY);
      await log.run(checkpointing, { until: clock.now() + 5_000, last: true });
      return (await newestCheckpoint(stores))?.note ?? expect.fail('no checkpoint');
    },
  };
}

/** Four checkpoints: of 300, 306, 312 and 318 entries. @param reason of the entry at index 308 */
async function history(reason = 'as it was'): Promise<{ readonly bed: Bed; readonly notes: readonly string[] }> {
  const bed = await newBed();
  await bed.append(A, 200);
  await bed.append(B, 100);
  const notes = [await bed.publish()];
  for (let n = 0; n < 3; n += 1) {
    await bed.append(A, 2);
    await bed.append(B, 3, n === 1 ? { reason } : {});
    notes.push(await bed.publish());
  }
  return { bed, notes };
}

async function verify({ stores }: Pick<Bed, 'stores'>, note: string, key = keyOf(note)) {
  const result = await verifyCheckpoint(stores, { note, key });
  expect(verifyCheckpointSchema.parse(result)).toEqual(result);
  return result;
}

const keyOf = (note: string): string => writeVerifierKey(keyNamed(note.split('\n')[0] ?? ''));
const pem = createPublicKey({
  key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(ed25519Key('any', 7).key.publicKey).toString('base64url') },
  format: 'jwk',
})
  .export({ format: 'pem', type: 'spki' })
  .toString();

describe('a checkpoint that was kept elsewhere', () => {
  it('is consistent with the store, whichever it is, and with both forms of the key', async () => {
    const { bed, notes } = await history();
    const appended = [];
    for (const note of notes) {
      const { ok, checkpoint, log } = await verify(bed, note);
      expect([ok, checkpoint.outcome, log?.problems, log?.checkpoints]).toEqual([true, 'consistent', [], 4]);
      appended.push(checkpoint.appended);
    }
    expect(appended).toEqual([18, 12, 6, 0]);
    expect((await verify(bed, notes[1] ?? '', pem)).checkpoint.message).toBe(
      'The store has all 306 entries that the checkpoint covers, unchanged; 12 entries were appended since.',
    );
  });

  it('differs from a store that was rewritten with all hashes recomputed, and says where', async () => {
    const { notes } = await history();
    const { bed: rewritten } = await history('rewritten');
    expect(await verifyLedger(rewritten.stores.ledger, rewritten.stores.records)).toMatchObject({ ok: true });
    const outcomes = [];
    for (const note of notes) outcomes.push((await verify(rewritten, note)).checkpoint.outcome);
    expect(outcomes).toEqual(['consistent', 'consistent', 'differs', 'differs']);
    const { ok, checkpoint } = await verify(rewritten, notes[3] ?? '');
    expect(ok).toBe(false);
    // Here the key has also signed the rewritten log, so its third checkpoint hides where it was rewritten.
    expect(checkpoint.difference).toEqual({ first: { index: 312, chain: A, seq: 205 }, among: 6 });
  });

  it('finds the first difference by the last checkpoint that still fits', async () => {
    const { bed, notes } = await history();
    const { bed: rewritten } = await history('rewritten');
    const { registers } = bed.stores;
    // The log of the rewritten store, under the chains and checkpoints of the original.
    for (const { name, value } of await rewritten.stores.registers.list('log-')) {
      const known = await registers.read(name);
      await registers.write(name, value, known?.version ?? null);
    }
    const { ok, checkpoint, faults } = await verify(bed, notes[3] ?? '');
    expect(ok).toBe(false);
    expect(checkpoint).toMatchObject({
      outcome: 'differs',
      difference: { first: { index: 306, chain: A, seq: 203 }, among: 6 },
    });
    expect(faults.map(({ kind, chain, seq }) => [kind, chain, seq])).toContainEqual(['fork', B, 104]);
  });

  it('says by how much a store is shorter that was replaced by an older copy', async () => {
    const bed = await newBed();
    await bed.append(A, 5);
    await bed.publish();
    const registers = new Map((await bed.stores.registers.list('')).map(({ name, value }) => [name, value]));
    const backup = bed.stores.inside.backup();
    const newest = (await bed.stores.ledger.query({}, { limit: 1 })).entries[0]?.at;
    await bed.append(A, 7);
    const note = await bed.publish();
    backup.restore(() => ({ registers, drafts: [], report: null }));
    const { ok, checkpoint } = await verify(bed, note);
    expect(ok).toBe(false);
    expect(checkpoint).toMatchObject({ outcome: 'shorter', missing: 8, since: newest, restored: null });
    expect(checkpoint.message).toBe(
      'The store lacks 8 entries of the 13 that the checkpoint covers: its log has 5 entries, the last written 2026-03-02 12:00 UTC; it was truncated, or replaced by an older copy.',
    );
  });

  it('says since when a restored store is behind, also under its new name', async () => {
    const bed = await newBed();
    await bed.append(A, 5);
    await bed.publish();
    const registers = new Map((await bed.stores.registers.list('')).map(({ name, value }) => [name, value]));
    const backup = bed.stores.inside.backup();
    await bed.append(A, 7);
    const note = await bed.publish();
    const before = (await bed.stores.ledger.query({}, { limit: 1, order: 'oldestFirst' })).entries[0]?.at;
    backup.restore(() => ({ registers, drafts: [], report: null }));
    await bed.clock.advance(DAY);
    const restore = { file: 'backup.db', replaced: null, lost: null };
    await bed.append(ORGANIZATION_CHAIN, 1, { type: 'StoreRestored', detail: { restore } });
    const renewed = await bed.publish();
    expect(renewed.split('\n')[0]).not.toBe(note.split('\n')[0]);
    const { checkpoint } = await verify(bed, note);
    expect(checkpoint).toMatchObject({ outcome: 'shorter', missing: 6, restored: { file: 'backup.db' } });
    expect(before).toBeDefined();
    expect(Date.parse(checkpoint.since ?? '')).toBeLessThan(Date.parse(checkpoint.restored?.at ?? ''));
    expect((await verify(bed, renewed)).ok).toBe(true);
    await bed.append(A, 20);
    await bed.publish();
    expect((await verify(bed, note)).checkpoint).toMatchObject({ outcome: 'differs', restored: { file: 'backup.db' } });
  });

  it('is of another log, by another key, or has a wrong signature', async () => {
    const { bed, notes } = await history();
    const [note = ''] = notes;
    const foreign = await newBed('o-another');
    await foreign.append(A, 3);
    expect((await verify(bed, await foreign.publish())).checkpoint).toMatchObject({
      outcome: 'otherLog',
      message: 'The checkpoint is of organization o-another, but the store belongs to o-7f3a9c2e1d.',
    });
    const replaced = await newBed();
    await replaced.append(A, 3);
    await replaced.sequence({ newId: () => 'another log' });
    await replaced.publish();
    expect((await verify(replaced, note)).checkpoint.message).toContain('it is another store, or it was replaced');
    const other = writeVerifierKey(keyNamed(note.split('\n')[0] ?? '', ed25519Key('any', 8)));
    expect((await verify(bed, note, other)).checkpoint.outcome).toBe('otherKey');
    expect((await verify(bed, note.replace('\n300\n', '\n301\n'))).checkpoint.outcome).toBe('wrongSignature');
  });

  it('is refused with the reason if note or key cannot be read', async () => {
    const { bed, notes } = await history();
    const [note = ''] = notes;
    const problem = (text: string, key: string) => verifyCheckpoint(bed.stores, { note: text, key });
    await expect(problem('', pem)).rejects.toThrow('signed note');
    await expect(problem(note.slice(0, 60), pem)).rejects.toThrow('signed note');
    await expect(problem(note, 'nothing')).rejects.toThrow('verifier key');
    await expect(problem(note, pem.replace('MC', 'XX'))).rejects.toThrow('not an Ed25519 or P-256 public key');
    await expect(problem(note, '-----BEGIN PRIVATE KEY-----')).rejects.toThrow('private key');
    const { key } = ed25519Key('w', 3);
    const witness = writeVerifierKey(keyNamed('w')).replace(/\+A/, '+B');
    expect(key.type).toBe('ed25519');
    await expect(problem(note, witness)).rejects.toThrow('verifier key');
  });
});

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
      ['example.com/log', 3, 'its checkpoint is of the log example.com/log, which is not a log of Rollcall'],
      [
        'rollcall/o-another/abcdefgh',
        3,
        'its checkpoint is of organization o-another, but the store belongs to o-7f3a9c2e1d',
      ],
      ['rollcall/o-7f3a9c2e1d/abcdefgh', 300, expect.stringMatching(/^its checkpoint is of the log .*never restored$/)],
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

  it('is behind a checkpoint that was published during a restore, which is no fork', async () => {
    const bed = await newBed();
    await bed.append(A, 5);
    await bed.publish();
    const registers = new Map((await bed.stores.registers.list('')).map(({ name, value }) => [name, value]));
    const backup = bed.stores.inside.backup();
    await bed.append(A, 7);
    const note = await bed.publish();
    const { size, origin } = checkpointInNote(note);
    backup.restore(() => ({ registers, drafts: [], report: null }));
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
