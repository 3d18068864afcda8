import * as z from 'zod';
import { replay } from '../../domain/account/as-of.ts';
import { emptyRecord } from '../../domain/account/record.ts';
import { type StoredState, toStoredState } from '../../domain/account/stored-state.ts';
import { accountEntry } from '../../domain/account/transition.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import {
  type EntryDraft,
  headOf,
  type LedgerEntry,
  ORGANIZATION_CHAIN,
  type PrunedPart,
} from '../../domain/ledger/entry.ts';
import { toIso } from '../../domain/time.ts';
import type { Deps } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';
import { commandContext, organizationEntry } from './organization-entry.ts';
import { writeEntries, writeOrganizationEntry } from './write-entries.ts';

export type RetentionDeps = Pick<Deps, 'ledger' | 'records' | 'registers' | 'clock' | 'newId' | 'actor'>;

/** When the next search for old entries is due, epoch ms. Its compare-and-set keeps two processes from searching at the same time. */
const retentionState = z.object({ lookAt: z.number() });
export const RETENTION = storedDocument(REGISTERS.retention, retentionState);

/** How long the lease of a search lasts, ms: longer than one bounded search takes. */
const LEASE_MS = 5 * 60_000;
/** The pause after a search that found nothing, ms. */
const REST_MS = 3_600_000;
/** Limits of one search: the number of chains, and the number of entries per chain. The next tick continues. */
const CHAINS = 20;
const ENTRIES = 2_000;
const LOOK = 500;
const PAGE = 500;

const DAY_MS = 86_400_000;
/**
 * How much longer the entry of a restore is kept, ms. A process that did not notice the restore may still publish a checkpoint of the replaced log. Without
 * the entry, that checkpoint would look like a fork.
 */
const RESTORE_MS = DAY_MS;
/**
 * A chain is pruned once its oldest entry is this much past the retention, ms. Each pruning adds a checkpoint entry, and without this delay a busy
 * chain would get one for each expired entry. A tenth of the retention, at most 30 days, and at least {@link RESTORE_MS}: otherwise a search would find
 * entries that it may not remove.
 */
const slackOf = (retentionMs: number): number => Math.max(RESTORE_MS, Math.min(30 * DAY_MS, retentionMs / 10));

export interface Pruned {
  /** Chains that got a checkpoint. */
  readonly chains: number;
  /** Entries that were removed. */
  readonly entries: number;
  /** More old entries are due now. */
  readonly more: boolean;
  /** When the next search is due, epoch ms; `null`: unknown. */
  readonly lookAt: EpochMs | null;
}

/** The number of the last entry of a chain that may be removed; 0: none may. */
export type RemovableThrough = (chain: string) => Promise<number>;

const NOTHING: Pruned = { chains: 0, entries: 0, more: false, lookAt: null };

/**
 * Removes entries that are older than the retention. In each chain a checkpoint replaces them, with their last hash and the state after them, so that
 * `verify` and `as-of` still work. One call does a bounded part; call it again for the next.
 * @param retentionMs `null`: everything is kept.
 * @param removable entries beyond this are kept, however old they are
 */
export async function pruneOld(
  deps: RetentionDeps,
  retentionMs: number | null,
  removable: RemovableThrough,
): Promise<Pruned> {
  if (retentionMs === null) return NOTHING;
  const { registers, clock, ledger } = deps;
  const now = clock.now();
  const known = await readTyped(registers, RETENTION);
  const lookAt = known?.value.lookAt ?? 0;
  // A time further away than the longest pause means that the clock was set back.
  if (now < lookAt && lookAt - now <= REST_MS) return { ...NOTHING, lookAt };
  const leased = await writeTyped(registers, RETENTION, { lookAt: now + LEASE_MS }, known?.version ?? null);
  if (leased === null) return NOTHING;
  const horizon = now - retentionMs;
  const due = toIso(horizon - slackOf(retentionMs));
  const page = await ledger.query({ until: due }, { limit: LOOK, order: 'oldestFirst' });
  const chains = [...new Set(page.entries.map(({ chain }) => chain))];
  let done = { chains: 0, entries: 0 };
  let unfinished = chains.length > CHAINS || page.next !== null;
  for (const chain of chains.slice(0, CHAINS)) {
    const one = await pruneChain(deps, { chain, horizon, removable });
    done = { chains: done.chains + (one.checkpoint ? 1 : 0), entries: done.entries + one.removed };
    unfinished ||= one.more;
  }
  // If none of the found entries may be removed yet, for example because the log does not have them, an immediate search would only find them again.
  const more = unfinished && (done.chains > 0 || done.entries > 0);
  const next = more ? clock.now() : clock.now() + REST_MS;
  await writeTyped(registers, RETENTION, { lookAt: next }, leased);
  return { ...done, more, lookAt: next };
}

interface PrunedChain {
  readonly checkpoint: boolean;
  readonly removed: number;
  readonly more: boolean;
}

interface ChainToPrune {
  readonly chain: string;
  readonly horizon: EpochMs;
  readonly removable: RemovableThrough;
}

async function pruneChain(deps: RetentionDeps, { chain, horizon, removable }: ChainToPrune): Promise<PrunedChain> {
  const { ledger } = deps;
  const known = await checkpointOf(deps, chain);
  const [first] = await ledger.read(chain, 0, 1);
  if (first === undefined) return { checkpoint: false, removed: 0, more: false };
  if (known !== null && first.seq <= known.through.seq) {
    // The process that wrote this checkpoint ended before it had removed all entries that the checkpoint replaces.
    const removed = await ledger.prune(chain, known.through.seq, ENTRIES);
    return { checkpoint: false, removed, more: true };
  }
  const [{ entries, more }, through] = await Promise.all([oldEntries(deps, chain, horizon), removable(chain)]);
  const old = entries.filter(({ seq }) => seq <= through);
  const last = old.at(-1);
  if (last === undefined) return { checkpoint: false, removed: 0, more: false };
  const times = [...old.map(({ at }) => at), ...(known === null ? [] : [known.throughAt])].sort();
  const state = chain === ORGANIZATION_CHAIN ? null : toStoredState(replay(chain, known, old, times.at(-1) ?? last.at));
  const replaced = { through: headOf(last), throughAt: times.at(-1) ?? last.at, state };
  await write(deps, chain, (current) => checkpointDraft(deps, chain, { ...replaced, current }, old));
  const removed = await ledger.prune(chain, last.seq, ENTRIES);
  return { checkpoint: true, removed, more };
}

/** The latest checkpoint of an account's chain; the organization's chain does not need it. */
async function checkpointOf({ ledger }: RetentionDeps, chain: string): Promise<PrunedPart | null> {
  if (chain === ORGANIZATION_CHAIN) return null;
  const { entries } = await ledger.query({ accountId: chain, type: 'ChainPruned' }, { limit: 1 });
  return entries[0]?.detail?.checkpoint ?? null;
}

/** The entries at the beginning of a chain that are all older than `horizon`; the entry of a restore must be older by {@link RESTORE_MS}. */
async function oldEntries(
  { ledger }: RetentionDeps,
  chain: string,
  horizon: EpochMs,
): Promise<{ readonly entries: readonly LedgerEntry[]; readonly more: boolean }> {
  const old: LedgerEntry[] = [];
  for (let after = 0; old.length < ENTRIES; ) {
    const page = await ledger.read(chain, after, PAGE);
    const young = page.findIndex(
      ({ at, type }) => Date.parse(at) >= horizon - (type === 'StoreRestored' ? RESTORE_MS : 0),
    );
    old.push(...(young === -1 ? page : page.slice(0, young)));
    const last = page.at(-1);
    if (young !== -1 || last === undefined || page.length < PAGE) return { entries: old, more: false };
    after = last.seq;
  }
  return { entries: old.slice(0, ENTRIES), more: true };
}

async function write(
  deps: RetentionDeps,
  chain: string,
  draft: (current: StoredState | null) => EntryDraft,
): Promise<void> {
  if (chain === ORGANIZATION_CHAIN) {
    await writeOrganizationEntry(deps, () => draft(null));
    return;
  }
  const record = (await deps.records.get(chain)) ?? emptyRecord(chain);
  await writeEntries(deps, [{ record, decide: (current) => [draft(toStoredState(current))] }]);
}

function checkpointDraft(
  deps: RetentionDeps,
  chain: string,
  checkpoint: PrunedPart,
  old: readonly LedgerEntry[],
): EntryDraft {
  const context = commandContext(deps);
  const message = `stands for ${old.length} entries of up to ${checkpoint.throughAt}, which were older than the retention`;
  const detail = { message, checkpoint };
  if (chain === ORGANIZATION_CHAIN) return organizationEntry(context, 'ChainPruned', { detail });
  return accountEntry(context, 'ChainPruned', chain, null, { detail });
}
