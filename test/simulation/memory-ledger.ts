import { canonicalJson } from '../../shared/domain/canonical-hash.ts';
import { changedAccounts, type Intent } from '../../shared/domain/decision/changed-accounts.ts';
import { ENROLLMENT_IDS } from '../../shared/domain/enrollment/kinds/index.ts';
import { type ChainHead, EMPTY_CHAIN, type LedgerEntry, ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { type EntryType, STEP_TYPES } from '../../shared/domain/ledger/entry-types.ts';
import {
  type AccountTail,
  type AppendOutcome,
  BadCursorError,
  type Ledger,
  type LedgerFilter,
  type RunStep,
} from '../../shared/ports/ledger.ts';
import { type Quirks, refill, type StoreClock, stored } from './memory-parts.ts';

const wellFormed = (entry: LedgerEntry): number => {
  const at = Date.parse(entry.at);
  if (Number.isNaN(at)) throw new RangeError(`not a time in ISO 8601: ${entry.at}`);
  return at;
};

interface Placed {
  readonly entry: LedgerEntry;
  readonly at: number;
  readonly position: number;
  /** When it was stored. */
  readonly storedAt: number;
}

export function memoryLedger(clock: StoreClock, quirks: Quirks) {
  const chains = new Map<string, LedgerEntry[]>();
  const all: Placed[] = [];
  const unpublished = new Map<string, Placed>();
  const published = new Set<string>();
  const hooks = { onEntry: (_: LedgerEntry): void => undefined };
  const nameOf = ({ chain, seq, hash }: LedgerEntry): string => `${chain} ${seq} ${hash}`;
  const seen = (): ((placed: Placed) => boolean) => {
    const until = clock.now() - (quirks.lagMs?.() ?? 0);
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
    return 'appended';
  };
  const ledger: Ledger = {
    async append(entries) {
      const times = entries.map(wellFormed);
      const refused = new Set<string>();
      return entries.map((entry, index) => {
        const before = headOf(entry.chain).seq;
        const outcome = refused.has(entry.chain) ? 'headMoved' : appendOne(entry, times[index] ?? 0);
        if (outcome === 'appended' && entry.seq > before) hooks.onEntry(stored(entry));
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
    readStored: async (chain, afterSeq, limit) =>
      (await ledger.read(chain, afterSeq, limit)).map((entry) => ({ entry, text: canonicalJson(entry) })),
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
      const intents: Intent[] = [];
      const unsent: Intent[] = [];
      for (const placed of all) {
        const { type, accountId, enrollment, seq, detail } = placed.entry;
        if (accountId === null || placed.at < from || !visible(placed)) continue;
        const optOut = detail?.optOut === true;
        const place = { accountId, enrollment, seq, optOut, approved: detail?.approvedPlan !== undefined };
        if (type === 'RemediationStarted') intents.push(place);
        else if (detail?.unsent === true) unsent.push(place);
      }
      return changedAccounts(intents, unsent);
    },
    async reachedSince(since) {
      const from = since === null ? Number.NEGATIVE_INFINITY : toTime(since);
      const reached = new Map<string, number>();
      for (const { entry, at } of all) {
        if (at >= from) reached.set(entry.chain, Math.max(entry.seq, reached.get(entry.chain) ?? 0));
      }
      return reached;
    },
    async *facts({ since, until }) {
      const visible = seen();
      const found = all
        .filter((placed) => visible(placed) && matches(placed, { ...(since && { since }), ...(until && { until }) }))
        .sort((a, b) => b.at - a.at || b.position - a.position);
      yield found.map(({ entry: { type, accountId, enrollment, runId, actor }, at }) => {
        return { at, type, accountId, enrollment, runId, actor };
      });
    },
    async outline(runId) {
      const visible = seen();
      const entries: Partial<Record<EntryType, number>> = {};
      const steps = new Map<string, RunStep>();
      for (const placed of all) {
        const { chain, type, accountId, enrollment, seq } = placed.entry;
        if (placed.entry.runId !== runId || !visible(placed)) continue;
        entries[type] = (entries[type] ?? 0) + 1;
        const step = STEP_TYPES.find((each) => each === type);
        if (step === undefined || accountId !== chain || enrollment === null) continue;
        const key = `${accountId} ${enrollment}`;
        const known = steps.get(key);
        const begun = type === 'RemediationStarted' || known?.begun === true;
        const resolvedSeq = known?.resolvedSeq ?? (type === 'DriftResolved' ? seq : null);
        steps.set(key, { accountId, enrollment, type: step, seq, begun, resolvedSeq });
      }
      return { entries, steps: [...steps.values()] };
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
  const backup = () => {
    const kept = {
      all: [...all],
      chains: copied(chains),
      unpublished: [...unpublished],
      published: new Set(published),
    };
    /** Appends `entries` without the onEntry hook, because they are no new observations. */
    const restore = (entries: readonly LedgerEntry[], publishedSince: readonly LedgerEntry[]): void => {
      all.splice(0, all.length, ...kept.all);
      refill(chains, copied(kept.chains));
      refill(unpublished, kept.unpublished);
      published.clear();
      for (const id of kept.published) published.add(id);
      for (const entry of publishedSince) if (unpublished.delete(nameOf(entry))) published.add(entry.id);
      for (const entry of entries) {
        if (appendOne(entry, wellFormed(entry)) !== 'appended')
          throw new Error(`${nameOf(entry)} does not fit its chain`);
      }
    };
    return { ...kept, restore };
  };
  return { ledger, chains, published, outbox, hooks, backup };
}

const copied = (chains: ReadonlyMap<string, readonly LedgerEntry[]>): Map<string, LedgerEntry[]> =>
  new Map([...chains].map(([chain, entries]) => [chain, [...entries]]));

/** Pruning removes entries from the start of a chain. */
const firstSeq = (entries: readonly LedgerEntry[]): number => entries[0]?.seq ?? 1;

function tailOf(accountId: string, entries: readonly LedgerEntry[], until: number): AccountTail {
  const then = entries.filter(({ at }) => Date.parse(at) <= until);
  const last = [
    ...ENROLLMENT_IDS.map((id) => then.findLast(({ enrollment }) => enrollment === id)),
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
  if (at === undefined || position === undefined) throw new BadCursorError('the cursor is not from this store');
  return { at: Number(at), position: Number(position) };
}
