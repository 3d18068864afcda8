import fc from 'fast-check';
import { expect } from 'vitest';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { checkLink, EMPTY_CHAIN, headOf, ORGANIZATION_CHAIN, sealEntry } from '../../shared/domain/ledger/entry.ts';
import {
  type AccountTail,
  BadCursorError,
  type ChainEnd,
  type Ledger,
  type LedgerFilter,
  type PageRequest,
} from '../../shared/ports/ledger.ts';
import { contractOf } from './contract.ts';
import { account, chainOf, draft, FACET, range, sealAll, time } from './samples.ts';

const A = account(1);
const B = account(2);

async function allPages(ledger: Ledger, filter: LedgerFilter, page: PageRequest): Promise<readonly LedgerEntry[]> {
  const found: LedgerEntry[] = [];
  for (let cursor: string | null = null; ; ) {
    const { entries, next }: Awaited<ReturnType<Ledger['query']>> = await ledger.query(filter, { ...page, cursor });
    found.push(...entries);
    if (next === null) return found;
    cursor = next;
  }
}

async function endsOf(ledger: Ledger): Promise<readonly ChainEnd[]> {
  const found: ChainEnd[] = [];
  for await (const page of ledger.ends()) found.push(...page);
  return found;
}

async function tailsOf(ledger: Ledger, until: string): Promise<readonly AccountTail[]> {
  const found: AccountTail[] = [];
  for await (const page of ledger.tails(until)) found.push(...page);
  return found;
}

const reasons = (entries: readonly LedgerEntry[]): readonly (string | null)[] => entries.map((entry) => entry.reason);

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
    const many = chainOf(B, 1500);
    if (!first || !second) throw new Error('no entries');
    const outcomes = await port.append([second, ...many, first]);
    expect(outcomes).toEqual(['headMoved', ...many.map(() => 'appended'), 'headMoved']);
    expect((await port.head(B)).seq).toBe(1500);
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

  async 'a query returns the entries that match every filter'({ port }) {
    const entries = [
      ...sealAll(A, [
        { at: time(1), reason: '1', type: 'DriftDetected', runId: 'r1' },
        { at: time(2), reason: '2', type: 'RemediationStarted', runId: 'r2', actor: 'alice' },
        { at: time(3), reason: '3', type: 'DriftDetected', runId: 'r2', enrollment: 'automation' },
      ]),
      ...sealAll(B, [{ at: time(4), reason: '4', runId: 'r2', actor: 'alice' }]),
      ...sealAll(ORGANIZATION_CHAIN, [{ at: time(5), reason: '5', type: 'ScanStarted', runId: 'r2' }]),
    ];
    await port.append(entries);
    const find = async (filter: LedgerFilter) =>
      reasons((await port.query(filter, { limit: 50, order: 'oldestFirst' })).entries);
    expect(await find({})).toEqual(['1', '2', '3', '4', '5']);
    expect(await find({ accountId: A })).toEqual(['1', '2', '3']);
    expect(await find({ enrollment: 'computeOptimizer' })).toEqual(['1', '2', '4']);
    expect(await find({ type: 'DriftDetected' })).toEqual(['1', '3', '4']);
    expect(await find({ runId: 'r2' })).toEqual(['2', '3', '4', '5']);
    expect(await find({ actor: 'alice' })).toEqual(['2', '4']);
    expect(await find({ since: time(2), until: time(5) })).toEqual(['2', '3', '4']);
    expect(await find({ accountId: A, type: 'DriftDetected', runId: 'r2' })).toEqual(['3']);
    expect(await find({ actor: 'alice', accountId: B })).toEqual(['4']);
    expect(await find({ enrollment: 'automation', since: time(4) })).toEqual([]);
    expect(await find({ actor: 'nobody' })).toEqual([]);
    expect(await find({ runId: 'r2', enrollment: 'computeOptimizer', until: time(4) })).toEqual(['2']);
  },

  async 'since is inclusive, until is exclusive, and both accept any form of ISO 8601'({ port }) {
    await port.append(chainOf(A, 4));
    const find = async (filter: LedgerFilter) =>
      reasons((await port.query(filter, { limit: 50, order: 'oldestFirst' })).entries);
    expect(await find({ since: time(1000), until: time(3000) })).toEqual(['entry 1', 'entry 2']);
    // The manual clock starts at 12:00:00Z.
    const day = time(0).slice(0, 10);
    expect(await find({ since: `${day}T12:00:02Z` })).toEqual(['entry 2', 'entry 3']);
    expect(await find({ since: `${day}T13:00:02+01:00` })).toEqual(['entry 2', 'entry 3']);
    expect(await find({ until: day })).toEqual([]);
    expect(await find({ since: day })).toHaveLength(4);
    await expect(port.query({ since: 'yesterday' }, { limit: 1 })).rejects.toThrow(RangeError);
  },

  async 'a query is sorted by time, newest first by default'({ port }) {
    await port.append(
      sealAll(A, [
        { at: time(10), reason: 'second' },
        { at: time(30), reason: 'fourth' },
      ]),
    );
    await port.append(
      sealAll(B, [
        { at: time(0), reason: 'first' },
        { at: time(20), reason: 'third' },
      ]),
    );
    const newest = await port.query({}, { limit: 10 });
    expect(reasons(newest.entries)).toEqual(['fourth', 'third', 'second', 'first']);
    const oldest = await port.query({}, { limit: 10, order: 'oldestFirst' });
    expect(reasons(oldest.entries)).toEqual(['first', 'second', 'third', 'fourth']);
  },

  async 'pages return every entry once, even with equal times'({ port }) {
    const entries = range(4).flatMap((n) =>
      sealAll(
        account(n),
        range(6).map((index) => ({ at: time(Math.floor(index / 3)), reason: `${n}.${index}` })),
      ),
    );
    await port.append(entries);
    const expected = [...reasons(entries)].sort();
    for (const order of ['newestFirst', 'oldestFirst'] as const) {
      for (const limit of [1, 5, 24]) {
        const found = await allPages(port, { type: 'DriftDetected' }, { limit, order });
        expect([...reasons(found)].sort()).toEqual(expected);
        const times = found.map((entry) => entry.at);
        expect(times).toEqual(order === 'oldestFirst' ? [...times].sort() : [...times].sort().reverse());
      }
    }
    expect(await allPages(port, { accountId: account(2) }, { limit: 4 })).toHaveLength(6);
  },

  async 'a cursor is stable under appends'({ port }) {
    const entries = chainOf(A, 10);
    await port.append(entries.slice(0, 6));
    const first = await port.query({ accountId: A }, { limit: 3 });
    expect(reasons(first.entries)).toEqual(['entry 5', 'entry 4', 'entry 3']);
    await port.append(entries.slice(6));
    const second = await port.query({ accountId: A }, { limit: 3, cursor: first.next });
    expect(reasons(second.entries)).toEqual(['entry 2', 'entry 1', 'entry 0']);
    expect(second.next).toBeNull();
  },

  async 'a foreign cursor is rejected'({ port }) {
    await port.append(chainOf(A, 3));
    const { next } = await port.query({}, { limit: 1 });
    const { next: other } = await port.query({}, { limit: 2 });
    if (next === null || other === null) throw new Error('no cursor');
    expect(next).not.toBe(other);
    const base64 = (text: string) => Buffer.from(text).toString('base64url');
    const bad = [
      '',
      ' ',
      'x',
      '%00',
      `${next}x`,
      `${next}=`,
      next.slice(1),
      base64('[]'),
      base64('{"at":1}'),
      base64('1'),
    ];
    for (const cursor of bad) {
      await expect(port.query({}, { limit: 1, cursor }), cursor).rejects.toThrow(BadCursorError);
    }
  },

  async 'changedSince returns each account with an intent once, and whether one was an opt-out'({ port }) {
    const intent = { type: 'RemediationStarted' } as const;
    await port.append([
      ...sealAll(A, [
        { ...intent, at: time(0), detail: { optOut: true } },
        { ...intent, at: time(100), detail: { optOut: false } },
        { ...intent, at: time(200) },
        { at: time(300) },
      ]),
      ...sealAll(B, [
        { ...intent, at: time(100), detail: { optOut: true } },
        { ...intent, at: time(150), detail: { optOut: false } },
      ]),
      ...sealAll(account(3), [{ at: time(200), type: 'RemediationSucceeded', detail: { optOut: true } }]),
      ...sealAll(ORGANIZATION_CHAIN, [{ ...intent, at: time(200), detail: { optOut: true } }]),
    ]);
    expect(new Map(await port.changedSince(time(100)))).toEqual(
      new Map([
        [A, { optOut: false }],
        [B, { optOut: true }],
      ]),
    );
    expect((await port.changedSince(time(0))).get(A)).toEqual({ optOut: true });
    expect((await port.changedSince(time(201))).size).toBe(0);
  },

  async 'changedSince omits only intents for which nothing was sent'({ port }) {
    const intent = (rest: Partial<LedgerEntry> = {}) =>
      ({ type: 'RemediationStarted', at: time(100), ...rest }) as const;
    const unsent = (rest: Partial<LedgerEntry> = {}) =>
      ({ type: 'RemediationBlocked', at: time(110), detail: { unsent: true }, ...rest }) as const;
    const optOut = { detail: { optOut: true } };
    await port.append([
      ...sealAll(A, [intent(optOut), unsent()]),
      // A change of the other enrollment.
      ...sealAll(B, [intent(optOut), intent({ enrollment: 'automation' }), unsent()]),
      // Retried and sent.
      ...sealAll(account(3), [intent(), unsent(), intent({ at: time(120), ...optOut })]),
      // Sent, then rejected by the guard at the retry.
      ...sealAll(account(4), [
        intent(),
        { type: 'RemediationFailed', at: time(110), detail: { intentId: 'x' } },
        intent({ at: time(120) }),
        unsent({ type: 'RemediationFailed', at: time(130) }),
      ]),
      // Its outcome is unknown.
      ...sealAll(account(5), [intent()]),
    ]);
    expect(new Map(await port.changedSince(time(100)))).toEqual(
      new Map([
        [B, { optOut: false }],
        [account(3), { optOut: true }],
        [account(4), { optOut: false }],
        [account(5), { optOut: false }],
      ]),
    );
    expect(await port.query({ accountId: '#unsent' }, { limit: 10 })).toMatchObject({ entries: [] });
  },

  async 'outline counts the entries of a run, and returns the last step of each change'({ port }) {
    const runId = 'run-1';
    expect(await port.outline(runId)).toEqual({ entries: {}, steps: [] });
    const step = (type: LedgerEntry['type'], rest: Partial<LedgerEntry> = {}) => ({ type, runId, ...rest });
    await port.append([
      ...sealAll(A, [
        step('DriftDetected', { enrollment: 'computeOptimizer' }),
        step('RemediationStarted', { enrollment: 'computeOptimizer' }),
        step('RemediationBlocked', { enrollment: 'automation' }),
        // A slow clock: the chain decides the order.
        step('RemediationSucceeded', { enrollment: 'computeOptimizer', at: time(-60_000) }),
        step('VerdictChanged', { enrollment: 'computeOptimizer' }),
        step('RemediationFailed', { enrollment: 'computeOptimizer', runId: 'run-2' }),
      ]),
      ...sealAll(B, [step('RemediationFailed', { enrollment: 'automation' })]),
      ...sealAll(ORGANIZATION_CHAIN, [
        step('ScanStarted', { accountId: null, enrollment: null }),
        step('ScanCompleted', { accountId: null, enrollment: null }),
        ...[3, 4, 5].map(() => step('VerdictChanged', { accountId: null, enrollment: null, runId: 'run-2' })),
        // A dead letter: it is about the account, but not a step in the account's chain.
        step('RemediationFailed', { accountId: A, enrollment: 'computeOptimizer', reason: 'deadLettered' }),
      ]),
    ]);
    const { entries, steps } = await port.outline(runId);
    expect(entries).toEqual({
      ...{ DriftDetected: 1, RemediationStarted: 1, RemediationBlocked: 1, RemediationSucceeded: 1 },
      ...{ VerdictChanged: 1, RemediationFailed: 2, ScanStarted: 1, ScanCompleted: 1 },
    });
    const sorted = [...steps].sort((a, b) =>
      `${a.accountId} ${a.enrollment}`.localeCompare(`${b.accountId} ${b.enrollment}`),
    );
    expect(sorted).toEqual([
      { accountId: A, enrollment: 'automation', type: 'RemediationBlocked', seq: 3, begun: false },
      { accountId: A, enrollment: 'computeOptimizer', type: 'RemediationSucceeded', seq: 4, begun: true },
      { accountId: B, enrollment: 'automation', type: 'RemediationFailed', seq: 1, begun: false },
    ]);
  },

  async 'reachedSince returns each chain with an entry since then, and its head'({ port }) {
    expect((await port.reachedSince(null)).size).toBe(0);
    await port.append([
      ...sealAll(A, [{ at: time(0) }, { at: time(300) }, { at: time(100) }]),
      ...sealAll(B, [{ at: time(0) }, { at: time(50) }]),
      ...sealAll(ORGANIZATION_CHAIN, [{ at: time(200) }]),
    ]);
    const all = { [A]: 3, [B]: 2, [ORGANIZATION_CHAIN]: 1 };
    expect(Object.fromEntries(await port.reachedSince(null))).toEqual(all);
    expect(Object.fromEntries(await port.reachedSince(time(0)))).toEqual(all);
    expect(Object.fromEntries(await port.reachedSince(time(51)))).toEqual({ [A]: 3, [ORGANIZATION_CHAIN]: 1 });
    expect(Object.fromEntries(await port.reachedSince(time(101)))).toEqual({ [A]: 2, [ORGANIZATION_CHAIN]: 1 });
    expect((await port.reachedSince(time(301))).size).toBe(0);
    await expect(port.reachedSince('yesterday')).rejects.toThrow('yesterday');
  },

  async 'unpublished returns unmarked entries, oldest first, and the mark is outside the hash'({ port, another }) {
    const entries = chainOf(A, 5);
    await port.append(entries);
    expect(await port.unpublished(3)).toEqual(entries.slice(0, 3));
    await port.markPublished(entries.slice(0, 2));
    expect(await port.unpublished(10)).toEqual(entries.slice(2));
    expect(await (await another()).unpublished(10)).toEqual(entries.slice(2));
    expect(await port.read(A, 0, 10)).toEqual(entries);
    await port.append(entries);
    expect(await port.unpublished(10)).toEqual(entries.slice(2));
    await port.markPublished(entries);
    expect(await port.unpublished(10)).toEqual([]);
  },

  async 'marking unknown or marked entries does nothing'({ port }) {
    const [mine, next] = chainOf(A, 2);
    const [rival] = sealAll(A, [{ reason: 'lost the race' }]);
    const [unknown] = chainOf(B, 1);
    if (!mine || !next || !rival || !unknown) throw new Error('no entries');
    await port.append([mine]);
    await port.markPublished([rival, unknown, next]);
    expect(await port.unpublished(10)).toEqual([mine]);
    await port.markPublished([mine]);
    await port.markPublished([mine]);
    expect(await port.read(B, 0, 10)).toEqual([]);
    expect(await port.append([next])).toEqual(['appended']);
    expect(await port.unpublished(10)).toEqual([next]);
  },

  async 'chains are listed by name, one page at a time'({ port }) {
    const names = [...range(5).map(account), ORGANIZATION_CHAIN];
    await port.append([...names].reverse().flatMap((chain) => chainOf(chain, 2)));
    expect(await port.chains(null, 4)).toEqual(names.slice(0, 4));
    expect(await port.chains(account(3), 4)).toEqual(names.slice(4));
    expect(await port.chains(account(99), 1)).toEqual([ORGANIZATION_CHAIN]);
    expect(await port.chains(ORGANIZATION_CHAIN, 4)).toEqual([]);
  },

  async 'ends returns the head of every chain, by name'({ port, another }) {
    expect(await endsOf(port)).toEqual([]);
    const chains = [...range(5).map((n) => chainOf(account(n), n + 1)), chainOf(ORGANIZATION_CHAIN, 2)];
    await port.append(chains.toReversed().flat());
    const ends = chains.map((entries) => {
      const last = entries.at(-1);
      return last === undefined ? null : { chain: last.chain, ...headOf(last) };
    });
    expect(await endsOf(port)).toEqual(ends);
    expect(await endsOf(await another())).toEqual(ends);
  },

  async 'tails returns the last entry of each kind that was written by then, and no account without entries'({ port }) {
    const entries = sealAll(A, [
      { at: time(0), type: 'AccountJoined', enrollment: null, reason: '1' },
      { at: time(10), reason: '2', after: FACET },
      { at: time(10), reason: '3', after: FACET },
      { at: time(20), enrollment: 'automation', reason: '4', after: FACET },
      { at: time(30), type: 'AccountSuspended', enrollment: null, reason: '5' },
      { at: time(40), reason: '6', after: FACET },
      { at: time(50), type: 'AccountLeft', enrollment: null, reason: '7' },
    ]);
    await port.append([...entries, ...sealAll(B, [{ at: time(45), reason: 'b' }]), ...chainOf(ORGANIZATION_CHAIN, 2)]);
    const at = async (ms: number) =>
      (await tailsOf(port, time(ms))).map((tail) => [tail.accountId, reasons(tail.entries).join(' '), tail.checkpoint]);
    expect(await at(-1)).toEqual([]);
    expect(await at(0)).toEqual([[A, '1', null]]);
    expect(await at(10)).toEqual([[A, '1 3', null]]);
    expect(await at(39)).toEqual([[A, '1 3 4', null]]);
    expect(await at(49)).toEqual([
      [A, '1 4 6', null],
      [B, 'b', null],
    ]);
    expect((await at(1_000_000))[0]).toEqual([A, '4 6 7', null]);
    const [tail] = await tailsOf(port, time(1_000));
    expect(tail?.entries).toEqual([entries[3], entries[5], entries[6]]);
  },

  async 'tails follows the order of the chain if clocks differ'({ port }) {
    const minutes = 60_000;
    const parts = [0, 7, 5, 9, 3].map((n) => ({ at: time(n * minutes), reason: String(n), after: FACET }));
    await port.append(sealAll(A, parts));
    const at = async (n: number) => reasons((await tailsOf(port, time(n * minutes)))[0]?.entries ?? []);
    expect(await at(2)).toEqual(['0']);
    expect(await at(3)).toEqual(['3']);
    expect(await at(8)).toEqual(['3']);
    expect(await at(60)).toEqual(['3']);
  },

  async 'tails finds an entry before many later entries of another kind'({ port }) {
    const parts = range(120).map((n) => ({ at: time(n * 1000), reason: String(n), after: FACET }));
    const first = { at: time(0), type: 'AccountJoined', enrollment: null, reason: 'joined' } as const;
    const automation = { at: time(1), enrollment: 'automation', reason: 'automation', after: FACET } as const;
    await port.append(sealAll(A, [first, automation, ...parts]));
    const [tail] = await tailsOf(port, time(1_000_000));
    expect(reasons(tail?.entries ?? [])).toEqual(['joined', 'automation', '119']);
  },

  async 'prune removes the oldest entries of one chain, and nothing else'({ port, another }) {
    const entries = chainOf(A, 9);
    const others = chainOf(B, 3);
    await port.append([...entries, ...others]);
    expect(await port.prune(A, 5, 2)).toBe(2);
    expect(await port.read(A, 0, 20)).toEqual(entries.slice(2));
    expect(await port.prune(A, 5, 100)).toBe(3);
    expect(await port.prune(A, 5, 100)).toBe(0);
    expect(await port.prune(A, 3, 100)).toBe(0);
    const other = await another();
    expect(await other.read(A, 0, 20)).toEqual(entries.slice(5));
    expect((await other.query({ accountId: A }, { limit: 20, order: 'oldestFirst' })).entries).toEqual(
      entries.slice(5),
    );
    expect(await other.read(B, 0, 20)).toEqual(others);
    expect((await other.head(A)).seq).toBe(9);
    expect(await other.unpublished(50)).toHaveLength(entries.length - 5 + others.length);
    // No pruned entry returns.
    expect(await port.append(entries.slice(0, 1))).toEqual(['headMoved']);
    expect(await port.append([sealEntry(draft({ chain: A }), await port.head(A))])).toEqual(['appended']);
  },

  async 'a chain always keeps its last entry'({ port }) {
    await port.append(chainOf(A, 3));
    await expect(port.prune(A, 3, 10)).rejects.toThrow(RangeError);
    await expect(port.prune(A, 4, 10)).rejects.toThrow(RangeError);
    await expect(port.prune(B, 1, 10)).rejects.toThrow(RangeError);
    expect(await port.read(A, 0, 10)).toHaveLength(3);
  },

  async 'tails include the latest checkpoint of a chain, whenever it was written'({ port }) {
    const checkpoint = { type: 'ChainPruned', enrollment: null } as const;
    const entries = sealAll(A, [
      { at: time(0), reason: '1', after: FACET },
      { at: time(10), reason: '2', after: FACET },
      { ...checkpoint, at: time(100), reason: 'first' },
      { ...checkpoint, at: time(200), reason: 'second' },
    ]);
    await port.append(entries);
    await port.prune(A, 1, 10);
    for (const [ms, found] of [
      [-1, []],
      [10, ['2']],
      [150, ['2']],
      [300, ['2']],
    ] as const) {
      const [tail] = await tailsOf(port, time(ms));
      expect(tail?.checkpoint?.reason, String(ms)).toBe('second');
      expect(reasons(tail?.entries ?? []), String(ms)).toEqual(found);
    }
  },

  async 'each chain stays without gap or fork under any sequence of appends'({ port, another }) {
    const clients = [port, await another()];
    let run = 0;
    // Each writer's head is `lag` entries old. It may repeat its last append, and it uses either client.
    const attempt = fc.record({
      chain: fc.nat(2),
      lag: fc.nat(2),
      repeat: fc.boolean(),
      client: fc.nat(1),
      size: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { minLength: 1, maxLength: 25 }), async (attempts) => {
        run += 1;
        const model = new Map<string, LedgerEntry[]>();
        for (const [step, { chain: n, lag, repeat, client, size }] of attempts.entries()) {
          const chain = `${run}-${n}`;
          const known = model.get(chain) ?? [];
          model.set(chain, known);
          const behind = known.slice(0, Math.max(0, known.length - lag));
          const last = behind.at(-1);
          const parts = range(size).map((index) => ({ reason: `${step}.${index}` }));
          const fresh = sealAll(chain, parts, last === undefined ? EMPTY_CHAIN : headOf(last));
          const entries = repeat ? known.slice(-size) : fresh;
          const fits = repeat || behind.length === known.length;
          const outcomes = await clients[client]?.append(entries);
          expect(outcomes).toEqual(entries.map(() => (fits ? 'appended' : 'headMoved')));
          if (fits && !repeat) known.push(...fresh);
        }
        for (const [chain, entries] of model) {
          expect(await port.read(chain, 0, 1000)).toEqual(entries);
          const last = entries.at(-1);
          expect(await port.head(chain)).toEqual(last === undefined ? EMPTY_CHAIN : headOf(last));
        }
      }),
      { numRuns: 20 },
    );
  },
});
