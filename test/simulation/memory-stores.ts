import { type ChainHead, EMPTY_CHAIN, type LedgerEntry, ORGANIZATION_CHAIN } from '../../shared/domain/ledger.ts';
import type { AccountFacts } from '../../shared/domain/policy/index.ts';
import { type AccountRecord, wakeAt } from '../../shared/domain/record.ts';
import { workMessageSchema } from '../../shared/domain/work.ts';
import type { OrganizationSnapshot } from '../../shared/ports/cloud.ts';
import type { Facts } from '../../shared/ports/facts.ts';
import {
  type AccountTail,
  type AppendOutcome,
  BadCursorError,
  type Ledger,
  type LedgerFilter,
} from '../../shared/ports/ledger.ts';
import type { DeadLetter, DeadLetters, Delivery, WorkQueue } from '../../shared/ports/queue.ts';
import { readMessage } from '../../shared/ports/read-message.ts';
import type { Records } from '../../shared/ports/records.ts';
import type { Register, Registers } from '../../shared/ports/registers.ts';

/** What the stores leave to chance; by default nothing. */
export interface Whims {
  /** A message that is sent is stored twice. */
  readonly doubles?: () => boolean;
  /** In which order messages are given out. */
  readonly order?: <T>(items: readonly T[]) => readonly T[];
  /** How far behind an index may be, ms. */
  readonly lagMs?: () => number;
}

export interface StoreClock {
  now(): number;
}

/** All stores in memory, with exactly what their ports promise: the contract suites run on them as well. No part of the product. */
export interface MemoryStores {
  readonly ledger: Ledger;
  readonly records: Records;
  readonly registers: Registers;
  readonly facts: Facts;
  readonly queue: WorkQueue;
  readonly deadLetters: DeadLetters;
  /** Everything as it is, for whoever judges from outside. */
  readonly inside: {
    readonly chains: ReadonlyMap<string, readonly LedgerEntry[]>;
    readonly published: ReadonlySet<string>;
    /** What the stored picture of the organization says of an account. */
    factsOf(accountId: string): AccountFacts | null;
    /** Entries that are not marked as published. */
    outbox(): Iterable<LedgerEntry>;
    readonly records: ReadonlyMap<string, AccountRecord>;
    /** When the next message can be received, epoch ms; `null`: there is none. */
    nextVisible(): number | null;
    /** Called when a message becomes visible sooner than was known. */
    onMessage: () => void;
    /** Called when an entry was stored. */
    onEntry: (entry: LedgerEntry) => void;
    putRaw(body: string): void;
  };
}

const wellFormed = (entry: LedgerEntry): number => {
  const at = Date.parse(entry.at);
  if (Number.isNaN(at)) throw new RangeError(`not a time in ISO 8601: ${entry.at}`);
  return at;
};

/** What is stored is a copy, and nobody can change what is handed out. */
function stored<T>(value: T): T {
  return freeze(structuredClone(value));
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}

interface Placed {
  readonly entry: LedgerEntry;
  readonly at: number;
  readonly position: number;
  /** When it was stored. */
  readonly storedAt: number;
}

function memoryLedger(clock: StoreClock, whims: Whims) {
  const chains = new Map<string, LedgerEntry[]>();
  const all: Placed[] = [];
  const unpublished = new Map<string, Placed>();
  const published = new Set<string>();
  const hooks = { onEntry: (_: LedgerEntry): void => undefined };
  const nameOf = ({ chain, seq, hash }: LedgerEntry): string => `${chain} ${seq} ${hash}`;
  const seen = (): ((placed: Placed) => boolean) => {
    const until = clock.now() - (whims.lagMs?.() ?? 0);
    return ({ storedAt }) => storedAt <= until;
  };
  const headOf = (chain: string): ChainHead => {
    const last = chains.get(chain)?.at(-1);
    return last === undefined ? EMPTY_CHAIN : { seq: last.seq, hash: last.hash };
  };
  let positions = 0;
  const appendOne = (entry: LedgerEntry, at: number): AppendOutcome => {
    const head = headOf(entry.chain);
    const known = chains.get(entry.chain) ?? [];
    if (entry.seq <= head.seq)
      return known[entry.seq - firstSeq(known)]?.hash === entry.hash ? 'appended' : 'headMoved';
    if (entry.seq !== head.seq + 1 || entry.prevHash !== head.hash) return 'headMoved';
    const kept = stored(entry);
    known.push(kept);
    chains.set(entry.chain, known);
    positions += 1;
    const placed = { entry: kept, at, position: positions, storedAt: clock.now() };
    all.push(placed);
    unpublished.set(nameOf(entry), placed);
    hooks.onEntry(kept);
    return 'appended';
  };
  const ledger: Ledger = {
    async append(entries) {
      const times = entries.map(wellFormed);
      const refused = new Set<string>();
      return entries.map((entry, index) => {
        const outcome = refused.has(entry.chain) ? 'headMoved' : appendOne(entry, times[index] ?? 0);
        if (outcome === 'headMoved') refused.add(entry.chain);
        return outcome;
      });
    },
    head: async (chain) => headOf(chain),
    async read(chain, afterSeq, limit) {
      const known = chains.get(chain) ?? [];
      const from = Math.max(0, afterSeq + 1 - firstSeq(known));
      return known.slice(from, from + limit);
    },
    async query(filter, { limit, cursor = null, order = 'newestFirst' }) {
      const sign = order === 'newestFirst' ? -1 : 1;
      const compare = (a: Place, b: Place): number => sign * (a.at - b.at || a.position - b.position);
      const after = cursor === null ? null : readCursor(cursor);
      const visible = filter.accountId === undefined ? seen() : () => true;
      const found = all
        .filter((placed) => visible(placed) && matches(placed, filter))
        .filter((placed) => after === null || compare(placed, after) > 0)
        .sort(compare);
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      const next = found.length > limit && last !== undefined ? writeCursor(last) : null;
      return { entries: shown.map(({ entry }) => entry), next };
    },
    async changedSince(since) {
      const from = toTime(since);
      const visible = seen();
      const changed = new Map<string, { readonly optOut: boolean }>();
      for (const placed of all) {
        const { type, accountId, detail } = placed.entry;
        if (type !== 'RemediationStarted' || accountId === null || placed.at < from || !visible(placed)) continue;
        changed.set(accountId, { optOut: detail?.optOut === true || changed.get(accountId)?.optOut === true });
      }
      return changed;
    },
    async reachedSince(since) {
      const from = since === null ? Number.NEGATIVE_INFINITY : toTime(since);
      const reached = new Map<string, number>();
      for (const { entry, at } of all) {
        if (at >= from) reached.set(entry.chain, Math.max(entry.seq, reached.get(entry.chain) ?? 0));
      }
      return reached;
    },
    async unpublished(limit) {
      const visible = seen();
      const open = [...unpublished.values()].filter(visible).slice(0, limit);
      return open.map(({ entry }) => entry);
    },
    async markPublished(entries) {
      for (const entry of entries) if (unpublished.delete(nameOf(entry))) published.add(entry.id);
    },
    chains: async (after, limit) =>
      [...chains.keys()]
        .sort()
        .filter((name) => name > (after ?? ''))
        .slice(0, limit),
    async *ends() {
      const ends = [...chains.keys()].sort().map((chain) => ({ chain, ...headOf(chain) }));
      if (ends.length > 0) yield ends;
    },
    async *tails(until) {
      const accounts = [...chains.keys()].filter((chain) => chain !== ORGANIZATION_CHAIN).sort();
      const tails = accounts.map((chain) => tailOf(chain, chains.get(chain) ?? [], toTime(until)));
      const told = tails.filter(({ entries, checkpoint }) => entries.length > 0 || checkpoint !== null);
      if (told.length > 0) yield told;
    },
    async prune(chain, throughSeq, limit) {
      if (throughSeq >= headOf(chain).seq) throw new RangeError(`chain ${chain} has to keep its last entry`);
      const known = chains.get(chain) ?? [];
      const doomed = new Set(known.filter(({ seq }) => seq <= throughSeq).slice(0, limit));
      known.splice(0, doomed.size);
      for (let index = all.length - 1; index >= 0; index -= 1) {
        const placed = all[index];
        if (placed === undefined || !doomed.has(placed.entry)) continue;
        all.splice(index, 1);
        unpublished.delete(nameOf(placed.entry));
      }
      return doomed.size;
    },
  };
  function* outbox(): Generator<LedgerEntry> {
    for (const { entry } of unpublished.values()) yield entry;
  }
  return { ledger, chains, published, outbox, hooks };
}

/** What is pruned is gone from the beginning. */
const firstSeq = (entries: readonly LedgerEntry[]): number => entries[0]?.seq ?? 1;

function tailOf(accountId: string, entries: readonly LedgerEntry[], until: number): AccountTail {
  const then = entries.filter(({ at }) => Date.parse(at) <= until);
  const last = [
    then.findLast(({ enrollment }) => enrollment === 'computeOptimizer'),
    then.findLast(({ enrollment }) => enrollment === 'automation'),
    then.findLast(({ type }) => type === 'AccountJoined' || type === 'AccountLeft'),
  ];
  return {
    accountId,
    entries: last.flatMap((entry) => entry ?? []).sort((a, b) => a.seq - b.seq),
    checkpoint: entries.findLast(({ type }) => type === 'ChainPruned') ?? null,
  };
}

interface Place {
  readonly at: number;
  readonly position: number;
}

function toTime(iso: string): number {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) throw new RangeError(`not a time in ISO 8601: ${iso}`);
  return at;
}

function matches({ entry, at }: Placed, filter: LedgerFilter): boolean {
  const { accountId, enrollment, type, runId, actor, since, until } = filter;
  if (accountId !== undefined && entry.accountId !== accountId) return false;
  if (enrollment !== undefined && entry.enrollment !== enrollment) return false;
  if (type !== undefined && entry.type !== type) return false;
  if (runId !== undefined && entry.runId !== runId) return false;
  if (actor !== undefined && entry.actor !== actor) return false;
  if (since !== undefined && at < toTime(since)) return false;
  return until === undefined || at < toTime(until);
}

const CURSOR = /^at(-?\d+)position(\d+)$/;

function writeCursor({ at, position }: Place): string {
  return `at${at}position${position}`;
}

function readCursor(cursor: string): Place {
  const [, at, position] = CURSOR.exec(cursor) ?? [];
  if (at === undefined || position === undefined) throw new BadCursorError('the cursor is none of this store');
  return { at: Number(at), position: Number(position) };
}

function memoryRecords(clock: StoreClock, whims: Whims) {
  const records = new Map<string, AccountRecord>();
  const wakes = new Map<string, { readonly at: number; readonly since: number }>();
  const sorted = (): AccountRecord[] => [...records.values()].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  async function* pages<T>(of: (record: AccountRecord) => T): AsyncGenerator<readonly T[]> {
    const all = sorted();
    for (let at = 0; at < all.length; at += PAGE) yield all.slice(at, at + PAGE).map(of);
  }
  const setWake = (accountId: string, at: number | null): void => {
    if (at === null) wakes.delete(accountId);
    else wakes.set(accountId, { at, since: clock.now() });
  };
  const port: Records = {
    get: async (accountId) => records.get(accountId) ?? null,
    async getMany(accountIds) {
      const found = new Map<string, AccountRecord>();
      for (const id of accountIds) {
        const record = records.get(id);
        if (record !== undefined) found.set(id, record);
      }
      return found;
    },
    all: () => pages((record) => record),
    heads: () => pages(({ accountId, head }) => ({ accountId, seq: head.seq })),
    async advance(many) {
      const times = many.map((record) => {
        const wake = wakeAt(record);
        if (Number.isNaN(wake))
          throw new RangeError(`the record of ${record.accountId} holds a time that cannot be read`);
        return wake;
      });
      for (const [index, record] of many.entries()) {
        const known = records.get(record.accountId);
        if (known !== undefined && known.head.seq >= record.head.seq) continue;
        records.set(record.accountId, stored(record));
        setWake(record.accountId, times[index] ?? null);
      }
    },
    async due(until, limit) {
      const visible = clock.now() - (whims.lagMs?.() ?? 0);
      return [...wakes]
        .filter(([, { at, since }]) => at <= until && since <= visible)
        .sort(([a, { at }], [b, { at: other }]) => at - other || (a < b ? -1 : 1))
        .slice(0, limit)
        .flatMap(([id, { at }]) => {
          const record = records.get(id);
          return record === undefined ? [] : [{ record, wakeAt: at }];
        });
    },
    async snooze(accountId, headSeq, until) {
      const known = records.get(accountId);
      if (known !== undefined && known.head.seq <= headSeq) setWake(accountId, until);
    },
  };
  return { port, records };
}

const PAGE = 100;

function memoryRegisters(): Registers {
  const registers = new Map<string, Register>();
  let versions = 0;
  return {
    read: async (name) => registers.get(name) ?? null,
    async write(name, value, expected) {
      const text: string | undefined = JSON.stringify(value);
      if (text === undefined) throw new TypeError(`register ${name}: the value has no form in JSON`);
      const body: unknown = JSON.parse(text);
      if ((registers.get(name)?.version ?? null) !== expected) return null;
      versions += 1;
      const version = String(versions);
      registers.set(name, freeze({ name, value: body, version }));
      return version;
    },
    remove: async (name, expected) => registers.get(name)?.version === expected && registers.delete(name),
    async list(prefix) {
      const names = [...registers.keys()].filter((name) => name.startsWith(prefix)).sort();
      return names.flatMap((name) => registers.get(name) ?? []);
    },
  };
}

function memoryFacts() {
  let snapshot: OrganizationSnapshot | null = null;
  let byId = new Map<string, AccountFacts>();
  const sorted = (): AccountFacts[] => [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const port: Facts = {
    async save(given) {
      snapshot = stored(given);
      byId = new Map(snapshot.accounts.map((account) => [account.id, account]));
    },
    load: async () => (snapshot === null ? null : { ...snapshot, accounts: sorted() }),
    async meta() {
      if (snapshot === null) return null;
      const { accounts: _, ...meta } = snapshot;
      return meta;
    },
    get: async (accountId) => byId.get(accountId) ?? null,
    async refresh(accounts) {
      for (const account of accounts) byId.set(account.id, stored(account));
    },
    async remove(accountIds) {
      for (const id of accountIds) byId.delete(id);
    },
  };
  return { port, factsOf: (id: string) => byId.get(id) ?? null };
}

interface Held {
  readonly body: string;
  visibleAt: number;
  receives: number;
  receipt: string | null;
}

function memoryQueue(clock: StoreClock, whims: Whims) {
  let held: Held[] = [];
  const dead: DeadLetter[] = [];
  let receipts = 0;
  let letters = 0;
  const hooks = { onMessage: (): void => undefined };
  const put = (body: string, delayMs = 0): void => {
    held.push({ body, visibleAt: clock.now() + delayMs, receives: 0, receipt: null });
    hooks.onMessage();
  };
  const holder = ({ receipt }: Delivery): Held | undefined => {
    const found = held.find((each) => each.receipt === receipt);
    return found !== undefined && found.visibleAt > clock.now() ? found : undefined;
  };
  const bury = (each: Held, reason: DeadLetter['reason']): void => {
    held = held.filter((other) => other !== each);
    letters += 1;
    const { message } = readMessage(each.body);
    dead.push({ id: `letter-${letters}`, message, body: each.body, reason, at: clock.now() });
  };
  const queue: WorkQueue = {
    async send(messages, delayMs = 0) {
      for (const message of messages.map((each) => workMessageSchema.parse(each))) {
        const body = JSON.stringify(message);
        put(body, delayMs);
        if (whims.doubles?.() === true) put(body, delayMs);
      }
    },
    async receive(max, visibilityMs) {
      const now = clock.now();
      const visible = held.filter(({ visibleAt }) => visibleAt <= now);
      const deliveries: Delivery[] = [];
      for (const each of whims.order?.(visible) ?? visible) {
        if (deliveries.length >= max) break;
        const { message, error } = readMessage(each.body);
        if (message === null) {
          bury(each, error);
          continue;
        }
        receipts += 1;
        each.receipt = `receipt-${receipts}`;
        each.receives += 1;
        each.visibleAt = now + visibilityMs;
        deliveries.push({ message, receipt: each.receipt, receives: each.receives });
      }
      return deliveries;
    },
    async extend(delivery, visibilityMs) {
      const found = holder(delivery);
      if (found !== undefined) found.visibleAt = clock.now() + visibilityMs;
    },
    async acknowledge(deliveries) {
      const done = new Set(deliveries.map(holder));
      held = held.filter((each) => !done.has(each));
    },
    async release(delivery, delayMs) {
      const found = holder(delivery);
      if (found === undefined) return;
      found.visibleAt = clock.now() + delayMs;
      found.receipt = null;
      hooks.onMessage();
    },
    async deadLetter(delivery, error) {
      const found = holder(delivery);
      if (found !== undefined) bury(found, error);
    },
    async depth() {
      const now = clock.now();
      const visible = held.filter(({ visibleAt }) => visibleAt <= now).length;
      return { visible, inFlight: held.length - visible, dead: dead.length };
    },
  };
  const deadLetters: DeadLetters = {
    list: async (limit) => dead.slice(0, limit),
    show: async (id) => dead.find((letter) => letter.id === id) ?? null,
    async redrive(ids) {
      const again = dead.filter(({ id, message }) => ids.includes(id) && message !== null);
      for (const letter of again) {
        dead.splice(dead.indexOf(letter), 1);
        put(letter.body);
      }
      return again.map(({ id }) => id);
    },
  };
  const nextVisible = (): number | null =>
    held.length === 0 ? null : Math.min(...held.map(({ visibleAt }) => visibleAt));
  return { queue, deadLetters, nextVisible, hooks, putRaw: put };
}

export function memoryStores(clock: StoreClock, whims: Whims = {}): MemoryStores {
  const { ledger, chains, published, outbox, hooks: ledgerHooks } = memoryLedger(clock, whims);
  const { port, records } = memoryRecords(clock, whims);
  const { port: facts, factsOf } = memoryFacts();
  const { queue, deadLetters, nextVisible, hooks, putRaw } = memoryQueue(clock, whims);
  return {
    ...{ ledger, records: port, registers: memoryRegisters(), facts, queue, deadLetters },
    inside: {
      ...{ chains, published, outbox, records, factsOf, nextVisible, putRaw },
      set onMessage(hook: () => void) {
        hooks.onMessage = hook;
      },
      get onMessage() {
        return hooks.onMessage;
      },
      set onEntry(hook: (entry: LedgerEntry) => void) {
        ledgerHooks.onEntry = hook;
      },
      get onEntry() {
        return ledgerHooks.onEntry;
      },
    },
  };
}
