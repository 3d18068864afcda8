import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { EvidenceLog, KnownCheckpoint } from '../../shared/app/queries/evidence/evidence-log.ts';
import { headOf, type LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { logEntry } from '../../shared/domain/ledger/log-entry.ts';
import { checkpointText } from '../../shared/domain/transparency/checkpoint.ts';
import { writeBundle } from '../../shared/domain/transparency/entry-bundle.ts';
import { type Hash, leafHash } from '../../shared/domain/transparency/hash.ts';
import { signNote } from '../../shared/domain/transparency/signed-note.ts';
import { TILE_WIDTH, type TileId } from '../../shared/domain/transparency/tiles.ts';
import { rootOf, subtreeHash } from '../../shared/domain/transparency/tree.ts';
import { type VerifierKey, verifierKey } from '../../shared/domain/transparency/verifier-key.ts';

/** A key pair for checkpoints. */
export interface TestKey {
  readonly type: 'ed25519' | 'ecdsa';
  readonly privateKey: KeyObject;
  /** Named after the log. */
  readonly verifier: (origin: string) => VerifierKey;
}

export function testKey(type: 'ed25519' | 'ecdsa' = 'ed25519'): TestKey {
  const { publicKey, privateKey } =
    type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  // The last 32 bytes of the encoding of an Ed25519 key are the key.
  const bytes = type === 'ed25519' ? spki.slice(-32) : spki;
  return { type, privateKey, verifier: (name) => verifierKey({ name, type, publicKey: bytes }) };
}

export const ORIGIN = 'rollcall/o-test/abcdefgh';

/** A transparency log in memory, built from the specification alone. It has the entries in the order in which they are appended. */
export class TestLog implements EvidenceLog {
  readonly #key: TestKey;
  readonly #origin: string;
  readonly #entries: { readonly chain: string; readonly seq: number; readonly bytes: Uint8Array }[] = [];
  readonly #hashes: Hash[][] = [[]];
  readonly #checkpoints: KnownCheckpoint[] = [];

  constructor(key: TestKey, origin: string = ORIGIN) {
    this.#key = key;
    this.#origin = origin;
  }

  append(entries: readonly LedgerEntry[]): void {
    for (const entry of entries) {
      const bytes = logEntry(entry.chain, headOf(entry));
      this.#entries.push({ chain: entry.chain, seq: entry.seq, bytes });
      this.#hashes[0]?.push(leafHash(bytes));
      this.#complete();
    }
  }

  /** Signs and publishes a checkpoint of all entries so far. */
  async publish(at: string): Promise<KnownCheckpoint> {
    const size = this.#entries.length;
    const root = await rootOf(size, async (nodes) =>
      nodes.map(({ level, index }) => {
        const width = 2 ** level;
        return subtreeHash((this.#hashes[0] ?? []).slice(index * width, (index + 1) * width));
      }),
    );
    const text = checkpointText({ origin: this.#origin, size, root, extensions: [] });
    const { name, keyId } = this.#key.verifier(this.#origin);
    const hash = this.#key.type === 'ecdsa' ? 'sha256' : null;
    const signer = { name, keyId, sign: async (message: Uint8Array) => sign(hash, message, this.#key.privateKey) };
    const note = await signNote({ text, signatures: [] }, [signer]);
    const checkpoint = { origin: this.#origin, size, root, note, at };
    this.#checkpoints.push(checkpoint);
    return checkpoint;
  }

  async newestCheckpoint(): Promise<KnownCheckpoint | null> {
    return this.#checkpoints.at(-1) ?? null;
  }

  async checkpoints(since: string | null, until: string | null): Promise<readonly KnownCheckpoint[]> {
    return this.#checkpoints.filter(({ at }) => at >= (since ?? '') && (until === null || at < until));
  }

  async indexOf(chain: string, seq: number): Promise<number | null> {
    const index = this.#entries.findIndex((each) => each.chain === chain && each.seq === seq);
    return index === -1 ? null : index;
  }

  async tile({ level, index, width }: TileId): Promise<Uint8Array> {
    const from = index * TILE_WIDTH;
    return new Uint8Array(Buffer.concat((this.#hashes[level] ?? []).slice(from, from + width)));
  }

  async bundle(index: number, width: number): Promise<Uint8Array> {
    const from = index * TILE_WIDTH;
    return writeBundle(this.#entries.slice(from, from + width).map(({ bytes }) => bytes));
  }

  /** Adds the hash of each tile that is full to the level above. */
  #complete(): void {
    for (let level = 0; ; level += 1) {
      const own = this.#hashes[level] ?? [];
      if (own.length === 0 || own.length % TILE_WIDTH > 0) return;
      this.#hashes[level + 1] = [...(this.#hashes[level + 1] ?? []), subtreeHash(own.slice(-TILE_WIDTH))];
    }
  }
}
