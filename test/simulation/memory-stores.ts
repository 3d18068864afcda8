import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { POLICY } from '../../shared/app/coordination/policy-in-force.ts';
import { type AccountRecord, wakeAt } from '../../shared/domain/account/record.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import type { OrganizationAccount } from '../../shared/domain/policy/index.ts';
import type { OrganizationSnapshot } from '../../shared/ports/cloud.ts';
import type { Ledger } from '../../shared/ports/ledger.ts';
import type { DeadLetters, WorkQueue } from '../../shared/ports/queue.ts';
import type { Records } from '../../shared/ports/records.ts';
import type { Register, Registers } from '../../shared/ports/registers.ts';
import type { Reconcile } from '../../shared/ports/restore.ts';
import type { SnapshotStore } from '../../shared/ports/snapshot-store.ts';
import { type BackedUp, merged } from './memory-backup.ts';
import { memoryLedger } from './memory-ledger.ts';
import { freeze, type Quirks, refill, type StoreClock, stored } from './memory-parts.ts';
import { type MessageCodec, memoryQueue } from './memory-queue.ts';

/** All stores in memory. The contract suites hold them to their ports. Not part of the product. */
export interface MemoryStores {
  readonly ledger: Ledger;
  readonly records: Records;
  readonly registers: Registers;
  readonly snapshots: SnapshotStore;
  readonly queue: WorkQueue;
  readonly deadLetters: DeadLetters;
  /** Direct access to the stored content, for the checkers. */
  readonly inside: {
    readonly chains: ReadonlyMap<string, readonly LedgerEntry[]>;
    readonly published: ReadonlySet<string>;
    /** The account in the stored snapshot of the organization. */
    accountOf(accountId: string): OrganizationAccount | null;
    /** The account before its last change in the snapshot, if that was after `since`, epoch ms. */
    replacedSince(accountId: string, since: number): OrganizationAccount | null;
    /** Entries that are not marked as published. */
    outbox(): Iterable<LedgerEntry>;
    readonly records: ReadonlyMap<string, AccountRecord>;
    /** Hash of the policy in force; `null` before the first scan. */
    policyInForce(): string | null;
    /** The content of each register. */
    registers(): ReadonlyMap<string, unknown>;
    /** When the next message becomes visible, epoch ms; `null` for an empty queue. */
    nextVisible(): number | null;
    /** Called when a message becomes visible earlier than expected. */
    onMessage: () => void;
    /** Called when an entry was stored. */
    onEntry: (entry: LedgerEntry) => void;
    /** Called when a register was stored, also by a restore. */
    onRegister: (name: string, value: unknown) => void;
    putRaw(body: string): void;
    /** The queue as another version of Rollcall uses it. */
    queueOf(codec: MessageCodec): WorkQueue;
    backup(): MemoryBackup;
  };
}

const inForce = z.object({ hash: z.string() });

/** The content of all stores at one moment. */
export interface MemoryBackup {
  /** Replaces the content of all stores in one step, like the embedded store's restore. */
  restore<Report>(reconcile: Reconcile<Report>): Report;
}

function memoryRecords(clock: StoreClock, quirks: Quirks, isOfChain: (record: AccountRecord) => boolean) {
  // From the first restore on: a process may still hold a record of the replaced chain.
  let restored = false;
  const records = new Map<string, AccountRecord>();
  const wakes = new Map<string, { readonly at: number; readonly since: number }>();
  /** Each record before its last change, which a view may still show. */
  const replaced = new Map<string, { readonly record: AccountRecord | undefined; readonly at: number }>();
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
    async view() {
      const visible = clock.now() - (quirks.lagMs?.() ?? 0);
      const seen = (id: string): AccountRecord | undefined => {
        const before = replaced.get(id);
        return before !== undefined && before.at > visible ? before.record : records.get(id);
      };
      return {
        accountIds: sorted().flatMap(({ accountId }) => seen(accountId)?.accountId ?? []),
        async getMany(ids) {
          const found = ids.flatMap((id) => seen(id) ?? []);
          return new Map(found.map((record) => [record.accountId, record]));
        },
      };
    },
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
        if (restored && !isOfChain(record)) continue;
        replaced.set(record.accountId, { record: known, at: clock.now() });
        records.set(record.accountId, stored(record));
        setWake(record.accountId, times[index] ?? null);
      }
    },
    async due(until, limit) {
      const visible = clock.now() - (quirks.lagMs?.() ?? 0);
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
  const backup = () => {
    const kept = { records: new Map(records), wakes: new Map(wakes) };
    const restore = (): void => {
      refill(records, kept.records);
      refill(wakes, kept.wakes);
      replaced.clear();
      restored = true;
    };
    return { records: kept.records, restore };
  };
  return { port, records, backup };
}

const PAGE = 100;

function memoryRegisters() {
  const registers = new Map<string, Register>();
  let versions = 0;
  const hooks = { onRegister: (_name: string, _value: unknown): void => undefined };
  const port: Registers = {
    read: async (name) => registers.get(name) ?? null,
    async write(name, value, expected) {
      const text: string | undefined = JSON.stringify(value);
      if (text === undefined) throw new TypeError(`register ${name}: the value has no form in JSON`);
      const body: unknown = JSON.parse(text);
      if ((registers.get(name)?.version ?? null) !== expected) return null;
      versions += 1;
      const version = String(versions);
      registers.set(name, freeze({ name, value: body, version }));
      hooks.onRegister(name, body);
      return version;
    },
    remove: async (name, expected) => registers.get(name)?.version === expected && registers.delete(name),
    async list(prefix) {
      const names = [...registers.keys()].filter((name) => name.startsWith(prefix)).sort();
      return names.flatMap((name) => registers.get(name) ?? []);
    },
  };
  const values = (): ReadonlyMap<string, unknown> => new Map([...registers].map(([name, { value }]) => [name, value]));
  /** All versions change, so that a writer with an earlier version fails. */
  const replace = (content: ReadonlyMap<string, unknown>): void => {
    registers.clear();
    for (const [name, value] of content) {
      versions += 1;
      registers.set(name, { name, value: stored(value), version: String(versions) });
      hooks.onRegister(name, value);
    }
  };
  return { port, values, replace, hooks };
}

function memoryFacts(clock: StoreClock) {
  let snapshot: OrganizationSnapshot | null = null;
  let byId = new Map<string, OrganizationAccount>();
  const replaced = new Map<string, { readonly account: OrganizationAccount; readonly at: number }>();
  const keepReplaced = (account: OrganizationAccount): void => {
    const before = byId.get(account.id);
    if (before !== undefined && !isDeepStrictEqual(before, account))
      replaced.set(account.id, { account: before, at: clock.now() });
  };
  const sorted = (): OrganizationAccount[] => [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const port: SnapshotStore = {
    async save(given) {
      snapshot = stored(given);
      for (const account of snapshot.accounts) keepReplaced(account);
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
      for (const account of accounts) {
        keepReplaced(account);
        byId.set(account.id, stored(account));
      }
    },
    async remove(accountIds) {
      for (const id of accountIds) byId.delete(id);
    },
  };
  const backup = () => {
    const kept = { snapshot, byId: new Map(byId) };
    const restore = (): void => {
      snapshot = kept.snapshot;
      byId = new Map(kept.byId);
    };
    return { snapshot, restore };
  };
  const replacedSince = (id: string, since: number): OrganizationAccount | null => {
    const last = replaced.get(id);
    return last !== undefined && last.at > since ? last.account : null;
  };
  return { port, accountOf: (id: string) => byId.get(id) ?? null, replacedSince, backup };
}

export function memoryStores(clock: StoreClock, quirks: Quirks = {}): MemoryStores {
  const { ledger, chains, published, outbox, hooks: ledgerHooks, backup: backupLedger } = memoryLedger(clock, quirks);
  const isOfChain = ({ accountId, head }: AccountRecord): boolean =>
    chains.get(accountId)?.some(({ seq, hash }) => seq === head.seq && hash === head.hash) ?? false;
  const { port, records, backup: backupRecords } = memoryRecords(clock, quirks, isOfChain);
  const { port: snapshots, accountOf, replacedSince, backup: backupFacts } = memoryFacts(clock);
  const { queue, queueOf, deadLetters, nextVisible, hooks, putRaw, backup: backupQueue } = memoryQueue(clock, quirks);
  const registers = memoryRegisters();
  const backup = (): MemoryBackup => {
    const content = () => {
      const parts = { ledger: backupLedger(), records: backupRecords(), facts: backupFacts() };
      const of: BackedUp = {
        ...{ chains: parts.ledger.chains, published: parts.ledger.published, records: parts.records.records },
        ...{ registers: registers.values(), snapshot: parts.facts.snapshot },
      };
      return { parts, of };
    };
    const { parts, of } = content();
    const restoreQueue = backupQueue();
    return {
      restore(reconcile) {
        const result = merged(of, content().of, reconcile);
        parts.ledger.restore(result.entries, result.published);
        parts.records.restore();
        parts.facts.restore();
        restoreQueue();
        registers.replace(result.registers);
        return result.report;
      },
    };
  };
  return {
    ...{ ledger, records: port, registers: registers.port, snapshots, queue, deadLetters },
    inside: {
      policyInForce: () => inForce.safeParse(registers.values().get(POLICY.name)).data?.hash ?? null,
      ...{ chains, published, outbox, records, accountOf, replacedSince, nextVisible, putRaw, queueOf, backup },
      registers: registers.values,
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
      set onRegister(hook: (name: string, value: unknown) => void) {
        registers.hooks.onRegister = hook;
      },
      get onRegister() {
        return registers.hooks.onRegister;
      },
    },
  };
}
