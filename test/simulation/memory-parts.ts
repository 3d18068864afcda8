import { type ChainHead, EMPTY_CHAIN, headOf, type LedgerEntry } from '../../shared/domain/ledger/entry.ts';

/* Shared parts of the stores in memory. */

/** Optional random behaviour of the stores. */
export interface Quirks {
  /** A message that is sent is stored twice. */
  readonly doubles?: () => boolean;
  /** The order in which messages are delivered. */
  readonly order?: <T>(items: readonly T[]) => readonly T[];
  /** How far behind an index may be, ms. */
  readonly lagMs?: () => number;
}

export interface StoreClock {
  now(): number;
}

export function headOfEntries(entries: readonly LedgerEntry[]): ChainHead {
  const last = entries.at(-1);
  return last === undefined ? EMPTY_CHAIN : headOf(last);
}

/** Replaces the content of a map. */
export function refill<K, V>(map: Map<K, V>, content: Iterable<readonly [K, V]>): void {
  const copy = [...content];
  map.clear();
  for (const [key, value] of copy) map.set(key, value);
}

/** A frozen copy, so that callers cannot change stored values. */
export function stored<T>(value: T): T {
  return freeze(structuredClone(value));
}

export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
