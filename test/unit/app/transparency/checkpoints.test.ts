import { describe, expect, it } from 'vitest';
import { ORGANIZATION } from '../../../../shared/app/coordination/organization-binding.ts';
import { readTyped, writeTyped } from '../../../../shared/app/coordination/typed-register.ts';
import { readControls } from '../../../../shared/app/guardrails/controls.ts';
import { acknowledgeRestore } from '../../../../shared/app/operator/acknowledge-restore.ts';
import { ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import { parseLogOrigin } from '../../../../shared/domain/ledger/log-origin.ts';
import { openCheckpoint } from '../../../../shared/domain/transparency/checkpoint.ts';
import { fromBase64 } from '../../../../shared/domain/transparency/encoding.ts';
import { noteVerifier } from '../../../../shared/domain/transparency/note-verifier.ts';
import { verifyConsistency } from '../../../../shared/domain/transparency/verify-proof.ts';
import { account } from '../../../contract/samples.ts';
import { ecdsaKey } from '../../domain/transparency/sample-keys.ts';
import { checkpointBed, ORGANIZATION_ID, parsed } from './checkpoint-bed.ts';
import { keyNamed, memoryArchive, memorySigner, sizeIn } from './checkpoint-parts.ts';

const A = account(1);
const HOUR = 3_600_000;

describe('a checkpoint', () => {
  it('is signed by the log’s key and extends the one before, with a proof', async () => {
    const bed = await checkpointBed();
    await bed.append(A, 5);
    await bed.tick();
    await bed.append(A, 300);
    await bed.scan();
    await bed.tick();
    const [first, second] = bed.published();
    if (first === undefined || second === undefined) throw new Error('two checkpoints');
    const [earlier, later] = [first, second].map(({ note }) => {
      const { origin } = parsed(note);
      return openCheckpoint(note, { origin, log: [noteVerifier(keyNamed(origin))] });
    });
    if (earlier === undefined || later === undefined) throw new Error('two checkpoints');
    expect(first).toMatchObject({ previous: null, proof: [], witnesses: [] });
    expect(second.previous).toBe(first.note);
    expect(earlier).toMatchObject({ size: 5, extensions: [] });
    // The entry of the first checkpoint is in the log, too.
    expect(later.size).toBe(307);
    expect(parseLogOrigin(later.origin)?.organizationId).toBe(ORGANIZATION_ID);
    verifyConsistency(
      earlier,
      later,
      second.proof.map((hash) => fromBase64(hash, 'proof')),
    );
    expect(await bed.status()).toMatchObject({ newest: { size: 307, note: second.note }, archived: false });
  });

  it('is signed with a P-256 key as well', async () => {
    const bed = await checkpointBed();
    const sample = ecdsaKey('any');
    await bed.append(A, 5);
    await bed.tick({ signer: memorySigner(sample) });
    const [published] = bed.published();
    const { origin } = parsed(published?.note ?? '');
    const trust = { origin, log: [noteVerifier(keyNamed(origin, sample))] };
    expect(openCheckpoint(published?.note ?? '', trust).size).toBe(5);
  });

  it('follows at the end of a run, after an hour with entries, at the end of a process, and else after a day', async () => {
    const bed = await checkpointBed();
    const sizes = () => bed.published().map(({ note }) => sizeIn(note));
    await bed.tick();
    expect(sizes()).toEqual([]);
    await bed.append(A, 1);
    await bed.tick();
    await bed.append(A, 1);
    await bed.tick();
    expect(sizes()).toEqual([1]);
    await bed.scan();
    await bed.tick();
    await bed.tick();
    expect(sizes()).toEqual([1, 4]);
    await bed.clock.advance(HOUR);
    await bed.tick();
    await bed.tick({}, true);
    expect(sizes()).toEqual([1, 4]);
    await bed.append(A, 1);
    await bed.tick();
    expect(sizes()).toEqual([1, 4, 6]);
    await bed.append(A, 1);
    await bed.tick({}, true);
    expect(sizes()).toEqual([1, 4, 6, 8]);
    await bed.clock.advance(23 * HOUR);
    await bed.tick();
    expect(sizes()).toHaveLength(4);
    await bed.clock.advance(HOUR);
    await bed.tick();
    expect(sizes()).toEqual([1, 4, 6, 8, 9]);
  });

  it('is not published without a key or without an organization, and entries are appended nevertheless', async () => {
    const bed = await checkpointBed();
    await bed.append(A, 5);
    await bed.tick({ signer: null });
    expect(bed.published()).toEqual([]);
    expect(await bed.status()).toMatchObject({ log: { size: 5, catchingUp: false, broken: [] }, newest: null });
    const other = await checkpointBed();
    const bound = await readTyped(other.stores.registers, ORGANIZATION);
    await other.stores.registers.remove(ORGANIZATION.name, bound?.version ?? '');
    await other.append(A, 5);
    await other.tick();
    expect(other.published()).toEqual([]);
  });

  it('waits for a key that cannot be used, reports it once, and follows when it can', async () => {
    const bed = await checkpointBed();
    const signer = memorySigner();
    signer.fails = 'denied';
    await bed.append(A, 5);
    for (let n = 0; n < 3; n += 1) {
      await bed.tick({ signer });
      await bed.clock.advance(60_000);
    }
    expect(bed.published()).toEqual([]);
    expect(bed.logged).toEqual([expect.stringContaining('the key of the test is out of order')]);
    expect(await bed.status()).toMatchObject({ unsigned: { message: 'the key of the test is out of order' } });
    signer.fails = null;
    await bed.tick({ signer });
    expect(bed.published()).toHaveLength(1);
    expect(await bed.status()).toMatchObject({ unsigned: null });
  });

  it('is not published with a signature that does not match the key', async () => {
    const bed = await checkpointBed();
    const signer = { ...memorySigner(), sign: async () => new Uint8Array(64) };
    await bed.append(A, 5);
    await bed.tick({ signer });
    expect(bed.published()).toEqual([]);
    expect((await bed.status()).unsigned?.message).toContain('does not match the public key');
  });

  it('is not lost by a crash after its entry was written', async () => {
    const bed = await checkpointBed();
    const archive = memoryArchive();
    await bed.append(A, 5);
    const { registers } = bed.stores;
    const crashing: typeof registers = {
      ...registers,
      async write(name, value, expected) {
        if (name === 'log-checkpoint') throw new Error('crash');
        return registers.write(name, value, expected);
      },
    };
    await expect(bed.tick({ archive }, false, { registers: crashing })).rejects.toThrow('crash');
    expect([bed.published().length, archive.kept.length]).toEqual([1, 0]);
    await bed.clock.advance(60_000);
    await bed.tick({ archive });
    await bed.tick({ archive });
    expect(bed.published()).toHaveLength(1);
    expect(archive.kept.map(({ size }) => size)).toEqual([5]);
  });

  it('is published once by two processes', async () => {
    const bed = await checkpointBed();
    await bed.append(A, 5);
    await bed.sequence();
    await Promise.all([bed.tick(), bed.tick({}, false, { actor: 'other' })]);
    await bed.tick();
    expect(bed.published()).toHaveLength(1);
  });
});

describe('the archive of checkpoints', () => {
  it('gets every checkpoint, later if it was not available', async () => {
    const bed = await checkpointBed();
    const archive = memoryArchive();
    await bed.append(A, 5);
    await bed.tick({ archive });
    expect(await bed.status()).toMatchObject({ archived: true, unarchived: null });
    archive.fails = 'unavailable';
    await bed.scan();
    await bed.tick({ archive });
    expect([bed.published().length, archive.kept.length]).toEqual([1, 1]);
    expect((await bed.status()).unarchived?.message).toContain('out of order');
    archive.fails = null;
    await bed.clock.advance(60_000);
    await bed.tick({ archive });
    expect(archive.kept.map(({ note }) => note)).toEqual(bed.published().map(({ note }) => note));
    expect(bed.published()).toHaveLength(2);
  });

  it('gets the newest checkpoint when it is configured later', async () => {
    const bed = await checkpointBed();
    const archive = memoryArchive();
    await bed.append(A, 5);
    await bed.tick();
    await bed.tick({ archive });
    expect(archive.kept).toHaveLength(1);
  });

  it('is reported if it holds something else in place of a published checkpoint', async () => {
    const bed = await checkpointBed();
    const archive = memoryArchive();
    await bed.append(A, 5);
    archive.fails = 'unavailable';
    await bed.tick();
    const [published] = bed.published();
    archive.fails = null;
    archive.kept.push({ origin: parsed(published?.note ?? '').origin, size: 5, note: 'no checkpoint' });
    await bed.tick({ archive });
    expect(await bed.status()).toMatchObject({ archived: false, unarchived: { message: 'another is kept' } });
  });

  it('keeps the next checkpoint from being signed if the log is shorter than the newest one there', async () => {
    const bed = await checkpointBed();
    const archive = memoryArchive();
    const backup = bed.stores.inside.backup();
    await bed.append(A, 5);
    await bed.tick({ archive });
    // Replaces the store without a trace, as a file copied over another.
    const [kept] = archive.kept;
    backup.restore(() => ({ registers: new Map(), drafts: [], report: null }));
    await bed.append(A, 2);
    const { registers } = bed.stores;
    await writeTyped(registers, ORGANIZATION, { organizationId: ORGANIZATION_ID, boundAt: 0, by: 'test' }, null);
    await bed.sequence({ newId: () => 'ID' });
    const id = (await bed.status()).log?.id ?? '';
    archive.kept[0] = { ...(kept ?? expect.fail()), origin: `rollcall/${ORGANIZATION_ID}/${id}` };
    const note = kept?.note.replaceAll(/rollcall\/\S+/g, archive.kept[0].origin) ?? '';
    archive.kept[0] = { ...archive.kept[0], note };
    await bed.tick({ archive });
    expect(bed.published()).toEqual([]);
    const { refused } = await bed.status();
    expect(refused?.message).toBe(
      'the newest checkpoint in memory://archive covers 5 entries, and the log has only 2: 3 entries are missing. If the store was restored without rollcall restore FILE, record that: rollcall restore --acknowledge --reason TEXT',
    );
    await bed.clock.advance(3_600_000);
    const actor = 'arn:aws:iam::111111111111:user/ana';
    await acknowledgeRestore({ ...bed.deps, ...bed.stores, actor }, 'copied from a snapshot');
    const entry = bed.stores.inside.chains.get(ORGANIZATION_CHAIN)?.at(-1);
    expect(entry).toMatchObject({ type: 'StoreRestored', actor, reason: 'operator' });
    expect(entry?.detail?.message).toContain('copied from a snapshot');
    expect((await readControls(registers)).halt).toMatchObject({ by: actor, reason: 'copied from a snapshot' });
    await bed.tick({ archive });
    expect((await bed.status()).refused).toBeNull();
    expect(bed.published()).toHaveLength(1);
    expect(archive.kept.at(-1)?.origin).not.toBe(archive.kept[0].origin);
  });
});
