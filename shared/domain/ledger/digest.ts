import * as z from 'zod';
import { canonicalJson, sha256Hex } from '../canonical-hash.ts';
import type { ChainHead, Digest } from './entry.ts';
import { leafHash, merkleRoot } from './merkle.ts';

/** The number of the last entry of each chain, by chain name. */
export type ChainList = Readonly<Record<string, number>>;

const hex = z.string().regex(/^[0-9a-f]{64}$/);

export const digestSchema = z.object({
  day: z.iso.date(),
  root: hex,
  list: hex,
  chains: z.int().nonnegative(),
  entries: z.int().nonnegative(),
});

/** The digest over the ends of all chains. */
export function digestOver(day: string, ends: ReadonlyMap<string, ChainHead>): { digest: Digest; list: ChainList } {
  const list = Object.fromEntries([...ends].map(([chain, { seq }]) => [chain, seq]));
  const entries = [...ends.values()].reduce((sum, { seq }) => sum + seq, 0);
  return { digest: { day, root: rootOf(ends), list: listHash(list), chains: ends.size, entries }, list };
}

export function rootOf(ends: ReadonlyMap<string, ChainHead>): string {
  const names = [...ends.keys()].sort();
  return merkleRoot(names.map((name) => leafHash(name, ends.get(name) ?? { seq: 0, hash: '' })));
}

/** The digest contains this hash, so editing the stored list to hide missing entries is detected. */
export function listHash(list: ChainList): string {
  return sha256Hex(canonicalJson(list));
}

/** An entry, or an event whose detail is an entry. */
const carrier = z.union([
  z
    .object({ detail: z.object({ detail: z.object({ digest: digestSchema }) }) })
    .transform(({ detail }) => detail.detail.digest),
  z.object({ detail: z.object({ digest: digestSchema }) }).transform(({ detail }) => detail.digest),
  digestSchema,
]);

/** The digests in a file: of an event, an entry or a page of `audit list --json`, or of several of these, as a list or one per line. */
export function digestsIn(text: string): readonly Digest[] {
  const documents = parseDocuments(text);
  return documents.flatMap(unfold).flatMap((each) => {
    const parsed = carrier.safeParse(each);
    return parsed.success ? [parsed.data] : [];
  });
}

function parseDocuments(text: string): readonly unknown[] {
  const whole = parseJson(text);
  return whole === undefined ? text.split('\n').flatMap((line) => parseJson(line) ?? []) : [whole];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const pageSchema = z.object({ entries: z.array(z.unknown()) });

function unfold(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(unfold);
  const page = pageSchema.safeParse(value);
  // A digest also has `entries`, but as a number.
  return page.success ? page.data.entries : [value];
}
