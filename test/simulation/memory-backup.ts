import { type AccountRecord, emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import { storedKey } from '../../shared/domain/decision/changed-accounts.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN, sealEntry } from '../../shared/domain/ledger/entry.ts';
import type { OrganizationSnapshot } from '../../shared/ports/cloud.ts';
import {
  type LastChange,
  type LostEntries,
  MAX_LOST_RUNS,
  type Reconcile,
  type StoredContent,
} from '../../shared/ports/restore.ts';
import { headOfEntries } from './memory-parts.ts';

/** The content of a backup that a restore compares. */
export interface BackedUp {
  readonly chains: ReadonlyMap<string, readonly LedgerEntry[]>;
  readonly published: ReadonlySet<string>;
  readonly records: ReadonlyMap<string, AccountRecord>;
  readonly registers: ReadonlyMap<string, unknown>;
  readonly snapshot: OrganizationSnapshot | null;
}

export interface Merged<Report> {
  readonly registers: ReadonlyMap<string, unknown>;
  /** Sealed, in the order in which they are appended. */
  readonly entries: readonly LedgerEntry[];
  /** Entries of the backup that were published after it was made. */
  readonly published: readonly LedgerEntry[];
  readonly report: Report;
}

/** The restored content, merged like in the embedded store: the product's `reconcile` decides what stays in force. */
export function merged<Report>(backup: BackedUp, replaced: BackedUp, reconcile: Reconcile<Report>): Merged<Report> {
  const store = { kind: 'store', content: contentOf(replaced), lost: lostEntries(backup, replaced) } as const;
  const { registers, drafts, report } = reconcile(contentOf(backup), store);
  const heads = new Map([...backup.chains].map(([chain, entries]) => [chain, headOfEntries(entries)]));
  const entries = drafts.map((draft) => {
    const entry = sealEntry(draft, heads.get(draft.chain) ?? headOfEntries([]));
    heads.set(draft.chain, { seq: entry.seq, hash: entry.hash });
    return entry;
  });
  const published = [...backup.chains.values()]
    .flat()
    .filter((entry) => !backup.published.has(entry.id) && replaced.published.has(entry.id) && has(replaced, entry));
  return { registers, entries, published, report };
}

function contentOf({ chains, records, registers, snapshot }: BackedUp): StoredContent {
  const of = (chain: string): readonly LedgerEntry[] => chains.get(chain) ?? [];
  const record = (accountId: AccountId): AccountRecord | null => {
    const stored = records.get(accountId) ?? emptyRecord(accountId);
    const from = stored.head.seq <= headOfEntries(of(accountId)).seq ? stored : emptyRecord(accountId);
    const caught = of(accountId)
      .filter(({ seq }) => seq > from.head.seq)
      .reduce(foldEntry, from);
    return caught.head.seq === 0 ? null : caught;
  };
  return {
    organizationId: () => snapshot?.organizationId ?? null,
    registers: () => registers,
    head: (chain) => headOfEntries(of(chain)),
    changedSince: (since) => changedSince([...chains.values()].flat(), since),
    *records() {
      for (const chain of [...chains.keys()].sort()) {
        const found = chain === ORGANIZATION_CHAIN ? null : record(chain);
        if (found !== null) yield found;
      }
    },
    record,
    intent: (accountId, entryId) =>
      of(accountId).findLast(({ type, id }) => type === 'RemediationStarted' && id === entryId) ?? null,
    outcome: (accountId, intentId) => of(accountId).findLast(({ detail }) => detail?.intentId === intentId) ?? null,
    contest: (accountId, kind) =>
      of(accountId).findLast(({ type, enrollment }) => type === 'FlapDetected' && enrollment === kind) ?? null,
  };
}

function changedSince(entries: readonly LedgerEntry[], since: number): ReadonlyMap<string, LastChange> {
  const changed = new Map<string, LastChange>();
  for (const { type, accountId, enrollment, at: iso, detail } of entries) {
    const at = Date.parse(iso);
    if (type !== 'RemediationStarted' || accountId === null || at < since) continue;
    const key = storedKey(accountId, detail?.approvedPlan === undefined ? null : enrollment);
    const known = changed.get(key) ?? { at, optOutAt: null };
    const optOutAt = detail?.optOut === true ? Math.max(at, known.optOutAt ?? at) : known.optOutAt;
    changed.set(key, { at: Math.max(at, known.at), optOutAt });
  }
  return changed;
}

function lostEntries(backup: BackedUp, replaced: BackedUp): LostEntries {
  const lost = [...replaced.chains.values()]
    .flat()
    .filter((entry) => !has(backup, entry) && entry.seq >= (backup.chains.get(entry.chain)?.[0]?.seq ?? 0));
  const times = lost.map(({ at }) => Date.parse(at));
  const starts = lost.filter(({ type }) => type === 'ScanStarted').toSorted((a, b) => (a.at < b.at ? 1 : -1));
  const runIds = [...new Set(starts.flatMap(({ runId }) => runId ?? []))];
  return {
    ...{ entries: lost.length, runs: runIds.length, runIds: runIds.slice(0, MAX_LOST_RUNS) },
    from: lost.length === 0 ? null : Math.min(...times),
    to: lost.length === 0 ? null : Math.max(...times),
  };
}

function has({ chains }: BackedUp, { chain, seq, hash }: LedgerEntry): boolean {
  const entries = chains.get(chain) ?? [];
  return entries[seq - (entries[0]?.seq ?? 1)]?.hash === hash;
}
