import { gzipSync } from 'node:zlib';
import { canonicalJson, sha256Hex } from '../../../domain/canonical-hash.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../../domain/policy/types.ts';
import type { OrganizationSnapshot } from '../../../ports/cloud.ts';
import type { SnapshotStore } from '../../../ports/snapshot-store.ts';
import type { Clock, NewId } from '../../../ports/system.ts';
import { isOrganizationAccount, isSnapshotMeta, type SnapshotMeta } from '../../stored-shapes.ts';
import { corrupt, storeError } from '../store-errors.ts';
import {
  binary,
  flag,
  type Item,
  number,
  parseJson,
  readNumber,
  readText,
  readTextOrNull,
  refuseTooLarge,
  text,
  unzip,
} from './attributes.ts';
import { keyOf } from './ledger-query.ts';
import { shardOf } from './schema.ts';
import { type Dynamo, type Key, keyItem } from './table-client.ts';

/** Accounts per bucket. Smaller buckets make it cheaper to read one account, which reads its whole bucket; larger ones save writes. */
const ACCOUNTS_PER_BUCKET = 128;
/** After this time, ms, an unfinished snapshot counts as abandoned and is removed. A save takes seconds. */
const SAVE_MAY_TAKE_MS = 15 * 60_000;
/** How many times a reader tries if the snapshot is replaced while it reads. */
const MAX_LOOKS = 20;

const CURRENT: Key = { pk: 'facts', sk: 'current' };
/** The snapshot id under which accounts are refreshed before there is a snapshot. The first snapshot replaces them. */
const NO_SNAPSHOT = 'none';

/** The item that names the current snapshot. Replacing this item makes a new snapshot visible in one step. */
interface Current {
  readonly id: string;
  readonly buckets: number;
  /** SHA-256 over the content of the buckets; `null`: saved by a version that did not store it. */
  readonly digest: string | null;
  readonly meta: SnapshotMeta;
}

/**
 * A snapshot is stored as buckets of compressed JSON under its own id, and becomes visible when the item `current` names that id. The old snapshot is
 * then removed; a reader that finds a bucket missing starts over. Accounts that are refreshed later are separate items, which take precedence over the
 * buckets. A writer that is killed leaves the item with the snapshot's name behind, by which the next save finds the rest and removes it.
 *
 * Most scans find the same accounts as the scan before. If the buckets would have the same content, only the item `current` is written.
 */
export function dynamoSnapshots(dynamo: Dynamo, clock: Pick<Clock, 'now'>, newId: NewId): SnapshotStore {
  /** Writes items of single accounts to the current snapshot. Repeats if another snapshot becomes current meanwhile, which would hide them. */
  const overlay = async (itemsFor: (snapshot: string) => readonly Item[]): Promise<void> => {
    let id = (await readCurrent())?.id ?? NO_SNAPSHOT;
    for (;;) {
      const snapshot = id;
      await dynamo.putMany(itemsFor(snapshot));
      id = (await readCurrent())?.id ?? NO_SNAPSHOT;
      if (id === snapshot) return;
    }
  };
  const readCurrent = async (): Promise<Current | null> => {
    const item = await dynamo.get(CURRENT);
    return item === null ? null : toCurrent(item);
  };

  return {
    async save({ accounts, ...meta }) {
      const contents = bucketsOf(accounts);
      const digest = sha256Hex(contents.join('\n'));
      if (await keepBuckets(dynamo, digest, meta)) return;
      const id = newId();
      const began = clock.now();
      const items = bucketItems(id, contents);
      await dynamo.put({ ...keyItem({ pk: CURRENT.pk, sk: `snapshot#${id}` }), at: number(began) });
      await dynamo.putMany(items);
      if (clock.now() - began > SAVE_MAY_TAKE_MS / 2) throw tooSlow(id);
      const replaced = await makeCurrent(dynamo, { id, buckets: items.length, digest, meta });
      await sweep(dynamo, replaced, began);
    },
    load: () => tryLooks(async (last) => loadOnce(dynamo, await readCurrent(), last)),
    async meta() {
      return (await readCurrent())?.meta ?? null;
    },
    get: (accountId) =>
      tryLooks(async (last) => {
        const current = await readCurrent();
        const id = current?.id ?? NO_SNAPSHOT;
        const bucket = current === null ? null : bucketKey(id, shardOf(accountId, current.buckets));
        const refreshed = refreshedKey(id, accountId);
        const items = await dynamo.getMany(bucket === null ? [refreshed] : [refreshed, bucket]);
        const own = items.find((item) => readText(item, 'sk') === refreshed.sk);
        if (own !== undefined) return toRefreshed(own);
        const shared = items.find((item) => readText(item, 'sk') === bucket?.sk);
        if (shared !== undefined) return toBucket(shared).find((each) => each.id === accountId) ?? null;
        if (bucket === null) return null;
        if (last) throw missingBucket(id);
        return 'again';
      }),
    async refresh(accounts) {
      if (accounts.length === 0) return;
      const latest = [...new Map(accounts.map((each) => [each.id, each])).values()];
      await overlay((id) => latest.map((each) => refreshedItem(id, each)));
    },
    async remove(accountIds) {
      if (accountIds.length > 0) await overlay((id) => [...new Set(accountIds)].map((each) => goneItem(id, each)));
    },
  };
}

async function tryLooks<T>(look: (last: boolean) => Promise<T | 'again'>): Promise<T> {
  for (let looks = 1; ; looks += 1) {
    const found = await look(looks >= MAX_LOOKS);
    if (found !== 'again') return found;
  }
}

async function loadOnce(
  dynamo: Dynamo,
  current: Current | null,
  last: boolean,
): Promise<OrganizationSnapshot | null | 'again'> {
  if (current === null) return null;
  const items = await dynamo.queryAll({ hash: ['pk', `facts#${current.id}`], consistent: true });
  const buckets = items.filter((item) => readText(item, 'sk').startsWith('bucket#'));
  if (buckets.length !== current.buckets) {
    if (last) throw missingBucket(current.id);
    return 'again';
  }
  const accounts = new Map(buckets.flatMap(toBucket).map((each) => [each.id, each]));
  for (const item of items) {
    if (!readText(item, 'sk').startsWith('account#')) continue;
    if (isGone(item)) accounts.delete(readText(item, 'sk').slice('account#'.length));
    else {
      const facts = toFacts(item);
      accounts.set(facts.id, facts);
    }
  }
  return { ...current.meta, accounts: [...accounts.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

/**
 * Gives the current snapshot a new time if its buckets have this content and no account was refreshed after it was saved. An account that is
 * refreshed at the same moment keeps its item, which is newer than the buckets.
 * @returns false if the buckets have to be written
 */
async function keepBuckets(dynamo: Dynamo, digest: string, meta: SnapshotMeta): Promise<boolean> {
  const item = await dynamo.get(CURRENT);
  const known = item === null ? null : toCurrent(item);
  if (known === null || known.digest !== digest) return false;
  const range = { name: 'sk', from: 'account#', to: 'account$' };
  const refreshed = await dynamo.queryAll({ hash: ['pk', `facts#${known.id}`], range, consistent: true });
  if (refreshed.length > 0) return false;
  const unreplaced = { expression: 'id = :id', values: { ':id': text(known.id) } };
  const { stored } = await dynamo.put(currentItem({ ...known, meta }), unreplaced);
  return stored;
}

function currentItem({ id, buckets, digest, meta }: Current): Item {
  const content = { id: text(id), buckets: number(buckets), body: text(JSON.stringify(meta)) };
  return { ...keyItem(CURRENT), ...content, ...(digest !== null && { digest: text(digest) }) };
}

/** Makes a complete snapshot the current one. @returns the id of the snapshot that it replaced */
async function makeCurrent(dynamo: Dynamo, snapshot: Current): Promise<string> {
  for (;;) {
    const known = await dynamo.get(CURRENT);
    const previous = known === null ? null : readText(known, 'id');
    const { stored, retried } = await dynamo.put(
      currentItem(snapshot),
      previous === null
        ? { expression: 'attribute_not_exists(pk)' }
        : { expression: 'id = :previous', values: { ':previous': text(previous) } },
    );
    // If an attempt's answer was lost, the snapshot may have been current and replaced since, so it must not be written again.
    if (stored || retried) return previous ?? NO_SNAPSHOT;
  }
}

/** Removes the replaced snapshot and abandoned ones, but not the unfinished snapshot of an active writer. */
async function sweep(dynamo: Dynamo, replaced: string, now: number): Promise<void> {
  if (replaced === NO_SNAPSHOT) await removeSnapshot(dynamo, NO_SNAPSHOT);
  const range = { name: 'sk', from: 'snapshot#', to: 'snapshot$' };
  const names = await dynamo.queryAll({ hash: ['pk', CURRENT.pk], range, consistent: true });
  const current = await dynamo.get(CURRENT);
  const valid = current === null ? null : readText(current, 'id');
  for (const item of names) {
    const id = readText(item, 'sk').slice('snapshot#'.length);
    const abandoned = now - readNumber(item, 'at') > SAVE_MAY_TAKE_MS;
    if (id === valid || !(id === replaced || abandoned)) continue;
    await removeSnapshot(dynamo, id);
    await dynamo.remove(keyOf(item), { expression: 'attribute_exists(pk)' });
  }
}

async function removeSnapshot(dynamo: Dynamo, id: string): Promise<void> {
  for await (const page of dynamo.query({ hash: ['pk', `facts#${id}`], consistent: true })) {
    await dynamo.removeMany(page.map(keyOf));
  }
}

function bucketKey(id: string, bucket: number): Key {
  return { pk: `facts#${id}`, sk: `bucket#${bucket}` };
}

function refreshedKey(id: string, accountId: AccountId): Key {
  return { pk: `facts#${id}`, sk: `account#${accountId}` };
}

/** The contents of the buckets as JSON. They do not depend on the order of the accounts. */
function bucketsOf(accounts: readonly OrganizationAccount[]): readonly string[] {
  const buckets = Math.max(1, Math.ceil(accounts.length / ACCOUNTS_PER_BUCKET));
  const sorted = accounts.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const contents = Map.groupBy(sorted, (each) => shardOf(each.id, buckets));
  return Array.from({ length: buckets }, (_, bucket) => canonicalJson(contents.get(bucket) ?? []));
}

function bucketItems(id: string, contents: readonly string[]): readonly Item[] {
  return contents.map((content, bucket) => {
    const zipped = gzipSync(content);
    refuseTooLarge(`bucket ${bucket} of ${contents.length} of a snapshot`, zipped.length, NOT_VISIBLE);
    return { ...keyItem(bucketKey(id, bucket)), zipped: binary(zipped) };
  });
}

function refreshedItem(id: string, facts: OrganizationAccount): Item {
  const body = JSON.stringify(facts);
  refuseTooLarge(`account ${facts.id} of a snapshot`, Buffer.byteLength(body), NOT_VISIBLE);
  return { ...keyItem(refreshedKey(id, facts.id)), body: text(body) };
}

/** Marks an account that has left. Its bucket may still contain it. */
function goneItem(id: string, accountId: AccountId): Item {
  return { ...keyItem(refreshedKey(id, accountId)), gone: flag(true) };
}

function toRefreshed(item: Item): OrganizationAccount | null {
  return isGone(item) ? null : toFacts(item);
}

function isGone(item: Item): boolean {
  return item['gone'] !== undefined;
}

const NOT_VISIBLE = 'The snapshot did not become visible.';

function toCurrent(item: Item): Current {
  const meta = parseJson(item, readText(item, 'body'), 'the snapshot', isSnapshotMeta);
  return {
    id: readText(item, 'id'),
    buckets: readNumber(item, 'buckets'),
    digest: readTextOrNull(item, 'digest'),
    meta,
  };
}

function toFacts(item: Item): OrganizationAccount {
  return parseJson(item, readText(item, 'body'), 'an account', isOrganizationAccount);
}

function toBucket(item: Item): readonly OrganizationAccount[] {
  const what = 'a part of the snapshot';
  return parseJson(item, unzip(item, what), what, areAccountFacts);
}

function areAccountFacts(value: unknown): value is readonly OrganizationAccount[] {
  return Array.isArray(value) && value.every(isOrganizationAccount);
}

function tooSlow(id: string): Error {
  const found = 'saving it took so long that another process may already be removing it';
  return storeError('Unavailable', `snapshot ${id}`, found, 'The previous snapshot stays current; scan again.');
}

function missingBucket(id: string): Error {
  return corrupt(`snapshot ${id}`, 'a part of it is missing');
}
