import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyLedger } from '../../../../../shared/app/queries/audit/verify.ts';
import { verifyCheckpoint } from '../../../../../shared/app/queries/audit/verify-checkpoint.ts';
import { ORGANIZATION_CHAIN } from '../../../../../shared/domain/ledger/entry.ts';
import { writeVerifierKey } from '../../../../../shared/domain/transparency/verifier-key.ts';
import { ed25519Key } from '../../../domain/transparency/sample-keys.ts';
import { keyNamed } from '../../transparency/checkpoint-parts.ts';
import { copied } from '../../transparency/log-bed.ts';
import { A, B, copiedBeforeCheckpoint, DAY, history, newBed, verifyKept as verify } from './published-log.ts';

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
    const putBack = await copied(bed);
    const newest = (await bed.stores.ledger.query({}, { limit: 1 })).entries[0]?.at;
    await bed.append(A, 7);
    const note = await bed.publish();
    putBack();
    const { ok, checkpoint } = await verify(bed, note);
    expect(ok).toBe(false);
    expect(checkpoint).toMatchObject({ outcome: 'shorter', missing: 8, since: newest, restored: null });
    expect(checkpoint.message).toBe(
      'The store lacks 8 entries of the 13 that the checkpoint covers: its log has 5 entries, the last written 2026-03-02 12:00 UTC; it was truncated, or replaced by an older copy.',
    );
  });

  it('says since when a restored store is behind, also under its new name', async () => {
    const bed = await newBed();
    const { note, putBack } = await copiedBeforeCheckpoint(bed);
    const before = (await bed.stores.ledger.query({}, { limit: 1, order: 'oldestFirst' })).entries[0]?.at;
    putBack();
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
