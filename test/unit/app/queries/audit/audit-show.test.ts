import { describe, expect, it } from 'vitest';
import { showEntry } from '../../../../../shared/app/queries/audit/show.ts';
import {
  EMPTY_CHAIN,
  type EntryDraft,
  headOf,
  type LedgerEntry,
  sealEntry,
} from '../../../../../shared/domain/ledger/entry.ts';
import { type Ledger, TamperedError } from '../../../../../shared/ports/ledger.ts';

type Read = Pick<Ledger, 'head' | 'read' | 'query'>;

const at = '2026-11-22T00:00:00.000Z';
const draft = (n: number): EntryDraft => ({
  ...{
    id: `entry-${n}`,
    chain: '111122223333',
    at,
    type: 'DriftDetected',
    accountId: '111122223333',
    enrollment: null,
  },
  ...{
    runId: null,
    actor: 'me',
    before: null,
    after: null,
    reason: null,
    rule: null,
    policyHash: null,
    api: null,
    detail: null,
  },
});

function chainOf(length: number): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (let n = 1; n <= length; n += 1) {
    const last = entries.at(-1);
    entries.push(sealEntry(draft(n), last === undefined ? EMPTY_CHAIN : headOf(last)));
  }
  return entries;
}

/** A ledger that says what a test lets it say, as if somebody had been at its store. */
function ledgerOf(entries: readonly LedgerEntry[], head = entries.at(-1), tampered: number | null = null): Read {
  return {
    head: async () => (head === undefined ? EMPTY_CHAIN : headOf(head)),
    async read(_chain, afterSeq, limit) {
      const found = entries.filter(({ seq }) => seq > afterSeq).slice(0, limit);
      const touched = found.find(({ seq }) => seq === tampered);
      if (touched !== undefined) throw new TamperedError(touched.chain, touched.seq, 'type');
      return found;
    },
    query: async () => ({ entries, next: null }),
  };
}

const faultsAt = async (ledger: Read, id: string) =>
  (await showEntry(ledger, id))?.verification.faults.map(({ kind, seq }) => [kind, seq]);

describe('an entry and its neighbours', () => {
  const whole = chainOf(3);

  it.each([
    ['entry-1', null, 2],
    ['entry-2', 1, 3],
    ['entry-3', 2, null],
  ])('%s of a whole chain', async (id, before, after) => {
    const shown = await showEntry(ledgerOf(whole), id);
    expect(shown?.verification).toMatchObject({ ok: true, faults: [] });
    expect(shown?.verification.previous?.seq ?? null).toBe(before);
    expect(shown?.verification.next?.seq ?? null).toBe(after);
  });

  it('reports which entries were edited, removed or truncated', async () => {
    const edited = whole.map((entry) => (entry.seq === 2 ? { ...entry, actor: 'somebody else' } : entry));
    expect(await faultsAt(ledgerOf(edited), 'entry-2')).toEqual([['edit', 2]]);
    expect(await faultsAt(ledgerOf(whole.filter(({ seq }) => seq !== 2)), 'entry-3')).toEqual([['gap', 2]]);
    expect(await faultsAt(ledgerOf(whole.slice(0, 2), whole[2]), 'entry-2')).toEqual([['gap', 3]]);
    expect(await faultsAt(ledgerOf(whole, whole[2], 1), 'entry-2')).toEqual([['edit', 1]]);
    const forked = chainOf(1).concat(
      chainOf(3)
        .slice(1)
        .map((entry) => ({ ...entry, prevHash: '0'.repeat(64) })),
    );
    expect(await faultsAt(ledgerOf(forked), 'entry-1')).toEqual([['edit', 2]]);
  });

  it('is not found under an unknown id or position', async () => {
    for (const reference of ['entry-9', '111122223333#4', '111122223333#0', '']) {
      expect(await showEntry(ledgerOf(whole), reference)).toBeNull();
    }
  });
});
