import { describe, expect, it } from 'vitest';
import {
  logReader,
  NotYetProvableError,
  type PublishedCheckpoint,
} from '../../../../shared/app/transparency/log-reader.ts';
import { headOf, ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import { logEntry } from '../../../../shared/domain/ledger/log-entry.ts';
import { logOrigin, parseLogOrigin } from '../../../../shared/domain/ledger/log-origin.ts';
import { checkpointText } from '../../../../shared/domain/transparency/checkpoint.ts';
import { readBundle } from '../../../../shared/domain/transparency/entry-bundle.ts';
import { leafHash } from '../../../../shared/domain/transparency/hash.ts';
import { noteVerifier } from '../../../../shared/domain/transparency/note-verifier.ts';
import { signNote } from '../../../../shared/domain/transparency/signed-note.ts';
import { edgeTiles } from '../../../../shared/domain/transparency/tile-growth.ts';
import { newTiles, readTile } from '../../../../shared/domain/transparency/tiles.ts';
import { parseProof, verifyProof } from '../../../../shared/domain/transparency/tlog-proof.ts';
import { rootOf } from '../../../../shared/domain/transparency/tree.ts';
import { account } from '../../../contract/samples.ts';
import { ed25519Key } from '../../domain/transparency/sample-keys.ts';
import { toHex } from '../../domain/transparency/samples.ts';
import { type LogBed, logBed, loggedEntries } from './log-bed.ts';

const A = account(1);
const B = account(2);
const ORIGIN = logOrigin({ organizationId: 'o-7f3a9c2e1d', logId: 'k3x9q0ab' });
const { key, signer } = ed25519Key(ORIGIN, 1);

/** Signs the log as it is, and records the checkpoint. */
async function publish(bed: LogBed, size: number): Promise<string> {
  const note = await signed(bed, size);
  await record(bed, note);
  return note;
}

async function signed({ stores }: LogBed, size: number): Promise<string> {
  const root = await rootOf(size, logReader(stores).nodes(size));
  const text = checkpointText({ origin: ORIGIN, size, root, extensions: [] });
  return signNote({ text, signatures: [] }, [signer]);
}

async function record({ append }: LogBed, note: string): Promise<void> {
  const treeHead = { note, previous: null, proof: [], witnesses: [] };
  await append(ORGANIZATION_CHAIN, 1, { type: 'CheckpointPublished', detail: { treeHead } });
}

describe('an origin', () => {
  it('is read back, and nothing else is', () => {
    expect(parseLogOrigin(ORIGIN)).toEqual({ organizationId: 'o-7f3a9c2e1d', logId: 'k3x9q0ab' });
    for (const other of ['', 'example.com/log', `${ORIGIN}/x`, ORIGIN.toUpperCase(), 'rollcall//k3x9q0ab']) {
      expect(parseLogOrigin(other)).toBeNull();
    }
  });
});

describe('the reader of the log', () => {
  it('finds nothing in a store without a log', async () => {
    const { stores } = logBed();
    const reader = logReader(stores);
    expect(await reader.log()).toBeNull();
    expect(await reader.newestCheckpoint()).toBeNull();
    expect(await reader.checkpoints(null, null)).toEqual([]);
    expect(await reader.indexOf(A, 1)).toBeNull();
  });

  it('proves entries under the newest checkpoint', async () => {
    const bed = logBed();
    const entries = [...(await bed.append(A, 300)), ...(await bed.append(B, 5))];
    await bed.sequence();
    await publish(bed, 200);
    const note = await publish(bed, 305);
    const reader = logReader(bed.stores);
    for (const entry of [entries[0], entries[255], entries[299], entries[304]]) {
      if (entry === undefined) throw new Error('305 entries');
      const proof = parseProof((await reader.proofOf(entry)).proof);
      expect(proof.checkpoint).toBe(note);
      const leaf = leafHash(logEntry(entry.chain, headOf(entry)));
      const opened = verifyProof(proof, leaf, { origin: ORIGIN, log: [noteVerifier(key)] });
      expect(opened.size).toBe(305);
    }
  });

  it('refuses a proof that no checkpoint covers, and one of another entry', async () => {
    const bed = logBed();
    const [first] = await bed.append(A, 2);
    if (first === undefined) throw new Error('two entries');
    const reader = logReader(bed.stores);
    await expect(reader.proofOf(first)).rejects.toThrow(NotYetProvableError);
    await expect(reader.proofOf(first)).rejects.toMatchObject({ reason: 'notInLog' });
    await bed.sequence();
    await expect(reader.proofOf(first)).rejects.toMatchObject({ reason: 'notCovered' });
    await publish(bed, 1);
    expect((await reader.proofOf(first)).proof).toContain('index 0\n');
    await expect(reader.proofOf({ ...first, hash: 'f'.repeat(64) })).rejects.toMatchObject({ name: 'UnprovenError' });
    await expect(reader.proofOf({ ...first, seq: 2 })).rejects.toMatchObject({ reason: 'notCovered' });
  });

  it('proves entries under an older checkpoint if the newest is of a log that a backup has replaced', async () => {
    const bed = logBed();
    const [first, second] = await bed.append(A, 2);
    await bed.sequence();
    const note = await publish(bed, 1);
    const replaced = logBed();
    await replaced.append(B, 5);
    await replaced.sequence();
    for (const size of [2, 5]) {
      await bed.clock.advance(1_000);
      await record(bed, await signed(replaced, size));
    }
    const reader = logReader(bed.stores);
    expect((await reader.proofOf(first ?? expect.fail())).checkpoint.note).toBe(note);
    await expect(reader.proofOf(second ?? expect.fail())).rejects.toMatchObject({ name: 'UnprovenError' });
  });

  it('lists checkpoints by time, oldest first', async () => {
    const bed = logBed();
    await bed.append(A, 3);
    await bed.sequence();
    const at = () => new Date(bed.clock.now()).toISOString();
    for (const size of [1, 2, 3]) {
      await publish(bed, size);
      await bed.clock.advance(1_000);
    }
    const reader = logReader(bed.stores);
    const all: readonly PublishedCheckpoint[] = await reader.checkpoints(null, null);
    expect(all.map(({ size, origin }) => [size, origin])).toEqual([1, 2, 3].map((size) => [size, ORIGIN]));
    expect((await reader.checkpoints(all[1]?.at ?? '', all[2]?.at ?? '')).map(({ size }) => size)).toEqual([2]);
    expect(await reader.checkpoints(at(), null)).toEqual([]);
    expect(await reader.newestCheckpoint()).toEqual(all[2]);
  });

  it('gives the tiles and bundles of any size that the log had', async () => {
    const bed = logBed();
    await bed.append(A, 600);
    await bed.sequence();
    const reader = logReader(bed.stores);
    const logged = await loggedEntries(bed.stores.registers);
    for (const size of [1, 256, 257, 600]) {
      for (const tile of newTiles(0, size)) expect(readTile(tile, await reader.tile(tile))).toHaveLength(tile.width);
      expect(edgeTiles(size).length).toBeGreaterThan(0);
    }
    const bundles = [await reader.bundle(0, 256), await reader.bundle(1, 256), await reader.bundle(2, 88)];
    const widths = [256, 256, 88];
    const texts = bundles.flatMap((bundle, at) => readBundle(bundle, widths[at] ?? 0));
    expect(texts.map((text) => new TextDecoder().decode(text))).toEqual(logged);
    const [first = new Uint8Array()] = texts;
    expect(toHex(await reader.tile({ level: 0, index: 0, width: 1 }))).toBe(toHex(leafHash(first)));
    await expect(reader.bundle(2, 89)).rejects.toMatchObject({ name: 'DamagedRegisterError' });
    await expect(reader.tile({ level: 1, index: 1, width: 1 })).rejects.toMatchObject({ name: 'DamagedRegisterError' });
  });
});
