import type * as z from 'zod';
import type { ChainHead } from '../../domain/ledger/entry.ts';
import { logEntry } from '../../domain/ledger/log-entry.ts';
import { fromBase64, toBase64 } from '../../domain/transparency/encoding.ts';
import { HASH_BYTES } from '../../domain/transparency/hash.ts';
import { TILE_WIDTH } from '../../domain/transparency/tiles.ts';
import { DamagedRegisterError, type Registers } from '../../ports/registers.ts';
import { readTyped, type Typed } from '../coordination/typed-register.ts';
import { LOG_BUNDLES } from './log-documents.ts';

/** Entries of one chain with consecutive numbers. */
interface Run {
  readonly chain: string;
  readonly seq: number;
  readonly count: number;
}

/** Up to 256 entries of the log: the runs in their order, and the hashes of all entries one after another. */
export interface Bundle {
  readonly runs: readonly Run[];
  readonly hashes: Uint8Array;
}

/** What the log has of an entry. */
export interface LoggedEntry extends ChainHead {
  readonly chain: string;
}

type Stored = z.infer<typeof LOG_BUNDLES.schema>;

export const EMPTY_BUNDLE: Bundle = { runs: [], hashes: new Uint8Array() };

export function lengthOf({ hashes }: Bundle): number {
  return hashes.length / HASH_BYTES;
}

export function bundleDocument(index: number) {
  return LOG_BUNDLES.named(String(index));
}

/** The bundle with this number; `null`: the log ends before it. It is empty until its first entries are written. @throws DamagedRegisterError */
export async function readBundle(registers: Pick<Registers, 'read'>, index: number): Promise<Typed<Bundle> | null> {
  const document = bundleDocument(index);
  const found = await readTyped(registers, document);
  return found === null ? null : { value: fromStored(document.name, found.value), version: found.version };
}

function fromStored(name: string, { runs, hashes: text }: Stored): Bundle {
  const hashes = fromBase64(text, name);
  const counted = runs.reduce((sum, [, , count]) => sum + count, 0);
  if (counted > TILE_WIDTH || hashes.length !== counted * HASH_BYTES) {
    throw new DamagedRegisterError(name, `hashes: ${hashes.length} bytes for ${counted} entries`);
  }
  return { runs: runs.map(([chain, seq, count]) => ({ chain, seq, count })), hashes };
}

export function toStored({ runs, hashes }: Bundle): Stored {
  return { runs: runs.map(({ chain, seq, count }) => [chain, seq, count]), hashes: toBase64(hashes) };
}

/** The bundle with more entries at its end. Entries that continue the last run extend it. */
export function extended({ runs, hashes }: Bundle, entries: readonly LoggedEntry[]): Bundle {
  const all = [...runs];
  for (const { chain, seq } of entries) {
    const last = all.at(-1);
    if (last?.chain === chain && last.seq + last.count === seq)
      all[all.length - 1] = { ...last, count: last.count + 1 };
    else all.push({ chain, seq, count: 1 });
  }
  const added = Buffer.from(entries.map(({ hash }) => hash).join(''), 'hex');
  return { runs: all, hashes: new Uint8Array(Buffer.concat([hashes, added])) };
}

/** All entries of a bundle, in order. */
export function entriesOf({ runs, hashes }: Bundle): readonly LoggedEntry[] {
  const text = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length).toString('hex');
  const digits = 2 * HASH_BYTES;
  const entries: LoggedEntry[] = [];
  for (const { chain, seq, count } of runs) {
    for (let at = 0; at < count; at += 1) {
      const from = entries.length * digits;
      entries.push({ chain, seq: seq + at, hash: text.slice(from, from + digits) });
    }
  }
  return entries;
}

/** The bytes that the log has hashed as the leaf. */
export function bytesOf(entry: LoggedEntry): Uint8Array {
  return logEntry(entry.chain, entry);
}
