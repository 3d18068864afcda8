import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { type ChainList, digestOver, digestSchema } from '../../domain/ledger/digest.ts';
import {
  type ChainHead,
  type Digest,
  type EntryDraft,
  type LedgerEntry,
  ORGANIZATION_CHAIN,
  sealEntry,
} from '../../domain/ledger/entry.ts';
import { toIso } from '../../domain/time.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Deps } from '../context.ts';
import { documentFamily, REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';
import { organizationEntry } from './organization-entry.ts';

export type DigestDeps = Pick<Deps, 'ledger' | 'registers' | 'clock' | 'newId' | 'actor'>;

/*
 * One digest a day across all processes, even if one of them dies midway. The register first fixes the content of the entry and its place in the
 * chain, so that any process can append exactly this entry, any number of times.
 *
 *   no digest of today ──(list stored; compare-and-set)──▶ begun ──(append)──▶ appended ──▶ done
 *                                                            ▲        │ another entry has taken the place in the chain
 *                                                            └────────┘ a new place, by compare-and-set
 */
const digestState = z.object({
  digest: digestSchema,
  id: z.string(),
  at: z.string(),
  actor: z.string(),
  /** The end of the chain that the digest's entry follows. */
  head: z.object({ seq: z.number(), hash: z.string() }),
  done: z.boolean(),
});
type DigestState = z.infer<typeof digestState>;

export const DIGEST = storedDocument(REGISTERS.digest, digestState);
/** For how many days the chain lists of digests are kept. Older digests can no longer be compared with the store. */
const DIGEST_LISTS_DAYS = 100;
const DAY_MS = 86_400_000;

export const DIGEST_LISTS = documentFamily(REGISTERS.digestList, z.record(z.string(), z.number()));

/** The length of each chain when the digest was made; `null`: the store does not have this list. */
export async function listOf(
  registers: Pick<Registers, 'read'>,
  { day, list }: { readonly day: string; readonly list: string },
): Promise<ChainList | null> {
  const kept = await registers.read(DIGEST_LISTS.named(`${day}/${list}`).name);
  const parsed = DIGEST_LISTS.schema.safeParse(kept?.value);
  return parsed.success ? parsed.data : null;
}

/**
 * Digests in the store's own ledger: the digest with this root or, if `root` is `null`, the latest one.
 * @returns an empty list if the ledger has no such digest.
 */
export async function ownDigests(ledger: Pick<Ledger, 'query'>, root: string | null): Promise<readonly Digest[]> {
  for (let cursor: string | null = null; ; ) {
    const limit = root === null ? 1 : 100;
    const page: Awaited<ReturnType<Ledger['query']>> = await ledger.query(
      { type: 'DigestPublished' },
      { limit, cursor },
    );
    const digests = page.entries.flatMap(({ detail }) => detail?.digest ?? []);
    const found = digests.find((digest) => root === null || digest.root === root);
    if (found !== undefined) return [found];
    if (page.next === null) return [];
    cursor = page.next;
  }
}

export interface DailyDigest {
  /** The entry, if this call wrote it. */
  readonly entry: LedgerEntry | null;
  /** Whether the day has its digest. `false`: the ledger has no entries yet, or another process is writing the digest. */
  readonly done: boolean;
}

/** As {@link dailyDigest}. @returns the entry; `null` if there was nothing to do. */
export async function writeDigest(deps: DigestDeps): Promise<LedgerEntry | null> {
  return (await dailyDigest(deps)).entry;
}

/**
 * Writes the day's `DigestPublished` unless a process has written it. It is published like every entry, and a copy of the event kept elsewhere reveals
 * if the store later loses entries that it covers.
 */
export async function dailyDigest(deps: DigestDeps): Promise<DailyDigest> {
  const { registers, clock } = deps;
  const now = clock.now();
  const day = toIso(now).slice(0, 10);
  for (;;) {
    const known = await readTyped(registers, DIGEST);
    // A digest of a later day was written by a machine whose clock is ahead, and counts as today's.
    if (known !== null && known.value.digest.day >= day && known.value.done) return { entry: null, done: true };
    if (known === null || known.value.done || known.value.digest.day < day) {
      if (!(await begin(deps, day, known?.version ?? null))) return { entry: null, done: false };
      continue;
    }
    const written = await finish(deps, known.value, known.version);
    if (written === null) continue;
    await forgetLists(registers, now);
    return { entry: written, done: true };
  }
}

/** When the first day after that of `now` begins in UTC, epoch ms. */
export function nextDigestAt(now: EpochMs): EpochMs {
  return (Math.floor(now / DAY_MS) + 1) * DAY_MS;
}

/** @returns whether there is anything to digest. */
async function begin({ ledger, registers, clock, newId, actor }: DigestDeps, day: string, version: string | null) {
  const ends = await endsOf(ledger);
  if (ends.size === 0) return false;
  const { digest, list } = digestOver(day, ends);
  const head = await ledger.head(ORGANIZATION_CHAIN);
  const state: DigestState = { digest, id: newId(), at: toIso(clock.now()), actor, head, done: false };
  const document = DIGEST_LISTS.named(`${day}/${digest.list}`);
  const kept = await writeTyped(registers, document, list, null);
  // If another process was faster, the list written here is removed, unless that process's digest uses it. A list that already existed stays.
  const lost = (await writeTyped(registers, DIGEST, state, version)) === null;
  if (lost && kept !== null) await removeUnlessUsed(registers, document.name, digest.list, kept);
  return true;
}

async function removeUnlessUsed(registers: Registers, name: string, list: string, version: string): Promise<void> {
  const winner = await readTyped(registers, DIGEST);
  if (winner?.value.digest.list !== list) await registers.remove(name, version);
}

async function endsOf(ledger: Pick<Ledger, 'ends'>): Promise<ReadonlyMap<string, ChainHead>> {
  const ends = new Map<string, ChainHead>();
  for await (const page of ledger.ends()) for (const { chain, seq, hash } of page) ends.set(chain, { seq, hash });
  return ends;
}

/** @returns `null` if the place in the chain is taken, or another process has finished. */
async function finish(deps: DigestDeps, state: DigestState, version: string): Promise<LedgerEntry | null> {
  const { ledger, registers } = deps;
  const entry = sealEntry(draftOf(state), state.head);
  const [outcome] = await ledger.append([entry]);
  if (outcome === 'appended') {
    const finished = await writeTyped(registers, DIGEST, { ...state, done: true }, version);
    return finished === null ? null : entry;
  }
  await writeTyped(registers, DIGEST, { ...state, head: await ledger.head(ORGANIZATION_CHAIN) }, version);
  return null;
}

function draftOf({ id, at, actor, digest }: DigestState): EntryDraft {
  const context = { newId: () => id, now: Date.parse(at), actor, runId: null, policyHash: null };
  const message = `${digest.entries} entries in ${digest.chains} chains; compare with rollcall audit verify --digest ${digest.root}`;
  return organizationEntry(context, 'DigestPublished', { detail: { message, digest } });
}

async function forgetLists(registers: Registers, now: number): Promise<void> {
  const oldest = `${DIGEST_LISTS.prefix}${toIso(now - DIGEST_LISTS_DAYS * DAY_MS).slice(0, 10)}`;
  for (const { name, version } of await registers.list(DIGEST_LISTS.prefix)) {
    if (name < oldest) await registers.remove(name, version);
  }
}
