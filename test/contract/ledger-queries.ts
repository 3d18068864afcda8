import { expect } from 'vitest';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { BadCursorError, type Ledger, type LedgerFilter } from '../../shared/ports/ledger.ts';
import type { Subject } from './contract.ts';
import { A, allPages, B, reasons } from './ledger-reading.ts';
import { account, chainOf, FIRST, LAST, range, sealAll, time } from './samples.ts';

const COUNTED = { counted: true, approved: [] };

/** The promises of the filters, pages and cursors of a query, of the outline of a run, and of changes since a time. */
export const QUERY_PROMISES = {
  async 'a query returns the entries that match every filter'({ port }) {
    const entries = [
      ...sealAll(A, [
        { at: time(1), reason: '1', type: 'DriftDetected', runId: 'r1' },
        { at: time(2), reason: '2', type: 'RemediationStarted', runId: 'r2', actor: 'alice' },
        { at: time(3), reason: '3', type: 'DriftDetected', runId: 'r2', enrollment: LAST },
      ]),
      ...sealAll(B, [{ at: time(4), reason: '4', runId: 'r2', actor: 'alice' }]),
      ...sealAll(ORGANIZATION_CHAIN, [{ at: time(5), reason: '5', type: 'ScanStarted', runId: 'r2' }]),
    ];
    await port.append(entries);
    const find = async (filter: LedgerFilter) =>
      reasons((await port.query(filter, { limit: 50, order: 'oldestFirst' })).entries);
    expect(await find({})).toEqual(['1', '2', '3', '4', '5']);
    expect(await find({ accountId: A })).toEqual(['1', '2', '3']);
    expect(await find({ enrollment: FIRST })).toEqual(['1', '2', '4']);
    expect(await find({ type: 'DriftDetected' })).toEqual(['1', '3', '4']);
    expect(await find({ runId: 'r2' })).toEqual(['2', '3', '4', '5']);
    expect(await find({ actor: 'alice' })).toEqual(['2', '4']);
    expect(await find({ since: time(2), until: time(5) })).toEqual(['2', '3', '4']);
    expect(await find({ accountId: A, type: 'DriftDetected', runId: 'r2' })).toEqual(['3']);
    expect(await find({ actor: 'alice', accountId: B })).toEqual(['4']);
    expect(await find({ enrollment: LAST, since: time(4) })).toEqual([]);
    expect(await find({ actor: 'nobody' })).toEqual([]);
    expect(await find({ runId: 'r2', enrollment: FIRST, until: time(4) })).toEqual(['2']);
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
        [A, { optOut: false, ...COUNTED }],
        [B, { optOut: true, ...COUNTED }],
      ]),
    );
    expect((await port.changedSince(time(0))).get(A)).toEqual({ optOut: true, ...COUNTED });
    expect((await port.changedSince(time(201))).size).toBe(0);
  },

  async 'changedSince says which changes were approved, and whether another one counts'({ port }) {
    const intent = (detail: LedgerEntry['detail'], rest: Partial<LedgerEntry> = {}) =>
      ({ type: 'RemediationStarted', at: time(100), detail, ...rest }) as const;
    const approved = { approvedPlan: 'plan' };
    const unsent = { type: 'RemediationBlocked', at: time(110), detail: { unsent: true } } as const;
    await port.append([
      ...sealAll(A, [intent(approved), intent({ ...approved, optOut: true }, { enrollment: LAST })]),
      ...sealAll(B, [intent(approved), intent(null)]),
      // The change without an approval was never sent.
      ...sealAll(account(3), [intent(approved, { enrollment: LAST }), intent(null), unsent]),
      // The approved change was never sent.
      ...sealAll(account(4), [intent(null, { enrollment: LAST }), intent(approved), unsent]),
      ...sealAll(account(5), [intent(approved), unsent]),
      // Before the period.
      ...sealAll(account(6), [intent(null, { at: time(0) }), intent(approved)]),
    ]);
    const { enrollment } = sealAll(A, [intent(approved)])[0] ?? {};
    expect(new Map(await port.changedSince(time(100)))).toEqual(
      new Map([
        [A, { optOut: true, counted: false, approved: [LAST, enrollment].sort() }],
        [B, { optOut: false, counted: true, approved: [enrollment] }],
        [account(3), { optOut: false, counted: false, approved: [LAST] }],
        [account(4), { optOut: false, counted: true, approved: [] }],
        [account(6), { optOut: false, counted: false, approved: [enrollment] }],
      ]),
    );
    expect(await port.query({ accountId: '#approved' }, { limit: 10 })).toMatchObject({ entries: [] });
    expect(await port.read(A, 0, 10)).toHaveLength(2);
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
      ...sealAll(B, [intent(optOut), intent({ enrollment: LAST }), unsent()]),
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
        [B, { optOut: false, ...COUNTED }],
        [account(3), { optOut: true, ...COUNTED }],
        [account(4), { optOut: false, ...COUNTED }],
        [account(5), { optOut: false, ...COUNTED }],
      ]),
    );
    expect(await port.query({ accountId: '#unsent' }, { limit: 10 })).toMatchObject({ entries: [] });
  },

  async 'outline counts the entries of a run, and returns the last step and the first resolution of each change'({
    port,
  }) {
    const runId = 'run-1';
    expect(await port.outline(runId)).toEqual({ entries: {}, steps: [] });
    const step = (type: LedgerEntry['type'], rest: Partial<LedgerEntry> = {}) => ({ type, runId, ...rest });
    await port.append([
      ...sealAll(A, [
        step('DriftDetected', { enrollment: FIRST }),
        step('RemediationStarted', { enrollment: FIRST }),
        step('RemediationBlocked', { enrollment: LAST }),
        // A slow clock: the chain decides the order.
        step('RemediationSucceeded', { enrollment: FIRST, at: time(-60_000) }),
        step('VerdictChanged', { enrollment: FIRST }),
        step('RemediationFailed', { enrollment: FIRST, runId: 'run-2' }),
      ]),
      ...sealAll(B, [
        step('RemediationFailed', { enrollment: LAST }),
        step('RemediationStarted', { enrollment: FIRST }),
        step('DriftResolved', { enrollment: FIRST }),
        step('RemediationBlocked', { enrollment: FIRST }),
        step('DriftResolved', { enrollment: FIRST }),
        step('RemediationBlocked', { enrollment: FIRST }),
      ]),
      ...sealAll(ORGANIZATION_CHAIN, [
        step('ScanStarted', { accountId: null, enrollment: null }),
        step('ScanCompleted', { accountId: null, enrollment: null }),
        ...[3, 4, 5].map(() => step('VerdictChanged', { accountId: null, enrollment: null, runId: 'run-2' })),
        // A dead letter: it is about the account, but not a step in the account's chain.
        step('RemediationFailed', { accountId: A, enrollment: FIRST, reason: 'deadLettered' }),
      ]),
    ]);
    const { entries, steps } = await port.outline(runId);
    expect(entries).toEqual({
      ...{ DriftDetected: 1, RemediationStarted: 2, RemediationBlocked: 3, RemediationSucceeded: 1, DriftResolved: 2 },
      ...{ VerdictChanged: 1, RemediationFailed: 2, ScanStarted: 1, ScanCompleted: 1 },
    });
    const sorted = [...steps].sort((a, b) => `${a.accountId} ${a.seq}`.localeCompare(`${b.accountId} ${b.seq}`));
    expect(sorted).toEqual([
      { accountId: A, enrollment: LAST, type: 'RemediationBlocked', seq: 3, begun: false, resolvedSeq: null },
      { accountId: A, enrollment: FIRST, type: 'RemediationSucceeded', seq: 4, begun: true, resolvedSeq: null },
      { accountId: B, enrollment: LAST, type: 'RemediationFailed', seq: 1, begun: false, resolvedSeq: null },
      { accountId: B, enrollment: FIRST, type: 'RemediationBlocked', seq: 6, begun: true, resolvedSeq: 3 },
    ]);
  },
} satisfies Readonly<Record<string, (subject: Subject<Ledger>) => Promise<void>>>;
