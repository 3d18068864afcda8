import { describe, expect, it } from 'vitest';
import { ORGANIZATION } from '../../../../shared/app/coordination/organization-binding.ts';
import { readTyped, writeTyped } from '../../../../shared/app/coordination/typed-register.ts';
import { logStatus } from '../../../../shared/app/transparency/checkpoint-state.ts';
import type { Checkpointing } from '../../../../shared/app/transparency/checkpointing.ts';
import { logReader } from '../../../../shared/app/transparency/log-reader.ts';
import { TransparencyLog } from '../../../../shared/app/transparency/transparency-log.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import { parseLogOrigin } from '../../../../shared/domain/ledger/log-origin.ts';
import { openCheckpoint } from '../../../../shared/domain/transparency/checkpoint.ts';
import { fromBase64 } from '../../../../shared/domain/transparency/encoding.ts';
import { noteVerifier } from '../../../../shared/domain/transparency/note-verifier.ts';
import { verifyConsistency } from '../../../../shared/domain/transparency/verify-proof.ts';
import type { Logger } from '../../../../shared/ports/system.ts';
import { account } from '../../../contract/samples.ts';
import { ecdsaKey } from '../../domain/transparency/sample-keys.ts';
import { keyNamed, memoryArchive, memorySigner, sizeIn } from './checkpoint-parts.ts';
import { logBed } from './log-bed.ts';

const A = account(1);
const HOUR = 3_600_000;
const ORGANIZATION_ID = 'o-7f3a9c2e1d';

async function checkpointBed() {
  const bed = logBed();
  const { stores, clock, deps } = bed;
  const bound = { organizationId: ORGANIZATION_ID, boundAt: 0, by: 'test' };
  await writeTyped(stores.registers, ORGANIZATION, bound, null);
  const logged: string[] = [];
  const note = (message: string, fields = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const own: Checkpointing = { signer: memorySigner(), archive: null, witnesses: [] };
  const all = { ...deps, ...stores, logger };
  const log = new TransparencyLog(all, 0);
  return {
    ...bed,
    logged,
    /** One run of the maintenance task. */
    tick: (parts: Partial<Checkpointing> = {}, last = false, over: Partial<typeof all> = {}) =>
      (Object.keys(over).length === 0 ? log : new TransparencyLog({ ...all, ...over }, 0)).run(
        async () => ({ ...own, ...parts }),
        { until: clock.now() + 5_000, last },
      ),
    published: () => entriesOfType(stores.inside.chains.get(ORGANIZATION_CHAIN) ?? []),
    status: () => logStatus(stores.registers),
    scan: () => bed.append(ORGANIZATION_CHAIN, 1, { type: 'ScanCompleted' }),
  };
}

const entriesOfType = (entries: readonly LedgerEntry[]) =>
  entries.filter(({ type }) => type === 'CheckpointPublished').map(({ detail }) => detail?.treeHead ?? expect.fail());

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
      'the newest checkpoint in memory://archive covers 5 entries, and the log has only 2: 3 entries are missing',
    );
  });
});

describe('a checkpoint of a log that was changed', () => {
  it('is refused if the log was rewritten', async () => {
    const bed = await checkpointBed();
    await bed.append(A, 5);
    await bed.tick();
    const { registers } = bed.stores;
    const bundle = await registers.read('log-bundle/0');
    const other = { runs: [[A, 1, 6]], hashes: Buffer.alloc(192).toString('base64') };
    await registers.write('log-bundle/0', other, bundle?.version ?? null);
    await bed.scan();
    await bed.clock.advance(60_000);
    await bed.tick();
    expect(bed.published()).toHaveLength(1);
    expect((await bed.status()).refused?.message).toBe(
      'the last checkpoint covers 5 entries, and the log has other entries there: it was rewritten',
    );
  });

  it('continues as another log after a restore', async () => {
    const bed = await checkpointBed();
    const archive = memoryArchive();
    await bed.append(A, 3);
    await bed.tick({ archive });
    const registers = new Map((await bed.stores.registers.list('')).map(({ name, value }) => [name, value]));
    const backup = bed.stores.inside.backup();
    await bed.append(A, 3);
    await bed.scan();
    await bed.tick({ archive });
    backup.restore(() => ({ registers, drafts: [], report: null }));
    await bed.append(ORGANIZATION_CHAIN, 1, { type: 'StoreRestored' });
    await bed.clock.advance(HOUR);
    await bed.tick({ archive });
    const [first, after] = bed.published();
    expect(bed.published()).toHaveLength(2);
    expect(parsed(after?.note ?? '').origin).not.toBe(parsed(first?.note ?? '').origin);
    expect(after?.previous).toBe(first?.note);
    expect(archive.kept).toHaveLength(3);
    expect((await logReader(bed.stores).newestCheckpoint())?.origin).toBe(parsed(after?.note ?? '').origin);
  });
});

function parsed(note: string): { readonly origin: string } {
  return { origin: note.split('\n')[0] ?? '' };
}
