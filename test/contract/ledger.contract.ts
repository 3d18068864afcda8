import { expect } from 'vitest';
import { checkLink, EMPTY_CHAIN, headOf, ORGANIZATION_CHAIN, sealEntry } from '../../shared/domain/ledger/entry.ts';
import type { Ledger } from '../../shared/ports/ledger.ts';
import { contractOf } from './contract.ts';
import { CHAIN_PROMISES } from './ledger-chains.ts';
import { QUERY_PROMISES } from './ledger-queries.ts';
import { A, B } from './ledger-reading.ts';
import { chainOf, draft, FACET, range, sealAll, time } from './samples.ts';

export const ledgerContract = contractOf<Ledger>()('Ledger', {
  async 'a chain without entries has the empty head and nothing to read'({ port }) {
    expect(await port.head(A)).toEqual(EMPTY_CHAIN);
    expect(await port.read(A, 0, 10)).toEqual([]);
    expect(await port.query({}, { limit: 10 })).toEqual({ entries: [], next: null });
    expect(await port.append([])).toEqual([]);
  },

  async 'an entry comes back exactly as it was sealed, and verifies'({ port }) {
    const full = draft({
      chain: A,
      before: FACET,
      after: { ...FACET, verdict: 'Converging', deadline: time(1) },
      reason: 'quotes " and \\ and \u0000 and ümläut and 🚀 and \ud800',
      rule: 'production',
      policyHash: 'c'.repeat(64),
      runId: 'run-7',
      actor: 'arn:aws:sts::123456789012:assumed-role/Admin/alice',
      api: { operation: 'UpdateEnrollmentStatus', requestId: 'r', clientToken: null },
      detail: { message: 'm', batch: [A, B], optOut: false, summary: { b: 1.5e300, a: [null, { z: 1, y: [] }] } },
    });
    const organization = draft({ chain: ORGANIZATION_CHAIN, type: 'ScanStarted' });
    const [first] = sealAll(A, [full]);
    const [second] = sealAll(ORGANIZATION_CHAIN, [organization]);
    if (first === undefined || second === undefined) throw new Error('no entries');
    expect(await port.append([first, second])).toEqual(['appended', 'appended']);
    const [read] = await port.read(A, 0, 1);
    expect(read).toEqual(first);
    expect(read && checkLink(EMPTY_CHAIN, read)).toBeNull();
    expect((await port.query({ accountId: A }, { limit: 1 })).entries).toEqual([first]);
    expect((await port.query({ type: 'ScanStarted' }, { limit: 1 })).entries).toEqual([second]);
    expect(await port.head(A)).toEqual(headOf(first));
  },

  async 'an entry that does not follow the head is rejected and not stored'({ port }) {
    const [one, two, three] = chainOf(A, 3);
    if (!one || !two || !three) throw new Error('no entries');
    expect(await port.append([two])).toEqual(['headMoved']);
    expect(await port.append([one])).toEqual(['appended']);
    expect(await port.append([three])).toEqual(['headMoved']);
    const onOther = sealEntry(draft({ chain: A }), { seq: 1, hash: 'f'.repeat(64) });
    expect(await port.append([onOther])).toEqual(['headMoved']);
    expect(await port.read(A, 0, 10)).toEqual([one]);
    expect(await port.head(A)).toEqual(headOf(one));
    expect((await port.query({}, { limit: 10 })).entries).toEqual([one]);
    expect(await port.unpublished(10)).toEqual([one]);
  },

  async 'entries of one call are checked in order, and a rejected one rejects the later ones of its chain'({ port }) {
    const [a1, a2, a3] = chainOf(A, 3);
    const [b1, b2] = chainOf(B, 2);
    if (!a1 || !a2 || !a3 || !b1 || !b2) throw new Error('no entries');
    const outcomes = await port.append([a1, b1, a3, a2, b2, a1]);
    // a2 would fit, but comes after the rejected a3; so does the repeated a1.
    expect(outcomes).toEqual(['appended', 'appended', 'headMoved', 'headMoved', 'appended', 'headMoved']);
    expect(await port.append([a2, a3])).toEqual(['appended', 'appended']);
    expect(await port.read(A, 0, 10)).toEqual([a1, a2, a3]);
    expect(await port.read(B, 0, 10)).toEqual([b1, b2]);
  },

  async 'a call may have any number of entries'({ port }) {
    const [first, second] = chainOf(A, 2);
    const many = chainOf(B, 300);
    if (!first || !second) throw new Error('no entries');
    const outcomes = await port.append([second, ...many, first]);
    expect(outcomes).toEqual(['headMoved', ...many.map(() => 'appended'), 'headMoved']);
    expect((await port.head(B)).seq).toBe(300);
    expect((await port.head(A)).seq).toBe(0);
  },

  async 'the same entry appended again is appended, however late, and stored once'({ port, another }) {
    const entries = chainOf(A, 3);
    const [first] = entries;
    if (!first) throw new Error('no entries');
    expect(await port.append([first, first])).toEqual(['appended', 'appended']);
    expect(await port.append(entries)).toEqual(['appended', 'appended', 'appended']);
    expect(await (await another()).append([first])).toEqual(['appended']);
    expect(await port.read(A, 0, 10)).toEqual(entries);
    expect((await port.query({}, { limit: 10 })).entries).toHaveLength(3);
  },

  async 'another entry with a taken number is rejected'({ port }) {
    const [mine] = sealAll(A, [{ reason: 'mine' }]);
    const [theirs] = sealAll(A, [{ reason: 'theirs' }]);
    if (!mine || !theirs) throw new Error('no entries');
    expect(await port.append([mine])).toEqual(['appended']);
    expect(await port.append([theirs])).toEqual(['headMoved']);
    expect(await port.read(A, 0, 10)).toEqual([mine]);
  },

  async 'exactly one of several writers at one head wins'({ port, another }) {
    const clients = [port, await another(), await another()];
    for (let round = 0; round < 5; round += 1) {
      const head = await port.head(A);
      const rivals = range(12).map((n) => sealEntry(draft({ chain: A, reason: `${round}/${n}` }), head));
      const outcomes = await Promise.all(
        rivals.map(async (entry, n) => (await clients[n % clients.length]?.append([entry]))?.[0]),
      );
      expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(1);
      const winner = rivals[outcomes.indexOf('appended')];
      expect(await port.read(A, head.seq, 10)).toEqual([winner]);
    }
  },

  async 'an append is visible to every other client once it has returned'({ port, another }) {
    const other = await another();
    for (const entry of chainOf(A, 5)) {
      await port.append([entry]);
      expect(await other.head(A)).toEqual(headOf(entry));
      expect((await other.query({ accountId: A }, { limit: 1 })).entries).toEqual([entry]);
    }
  },

  async 'a chain is read in pages, ascending'({ port }) {
    const entries = chainOf(A, 7);
    await port.append([...entries, ...chainOf(B, 2)]);
    expect(await port.read(A, 0, 3)).toEqual(entries.slice(0, 3));
    expect(await port.read(A, 3, 3)).toEqual(entries.slice(3, 6));
    expect(await port.read(A, 6, 3)).toEqual(entries.slice(6));
    expect(await port.read(A, 7, 3)).toEqual([]);
  },

  ...QUERY_PROMISES,
  ...CHAIN_PROMISES,
});
