import fc from 'fast-check';
import { expect } from 'vitest';
import { canonicalJson } from '../../shared/domain/canonical-hash.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { EMPTY_CHAIN, headOf, ORGANIZATION_CHAIN, sealEntry } from '../../shared/domain/ledger/entry.ts';
import { hasHashedText } from '../../shared/domain/ledger/stored-entry.ts';
import type { EntryFacts, Ledger, LedgerPeriod } from '../../shared/ports/ledger.ts';
import type { Subject } from './contract.ts';
import { A, B, endsOf, reasons, tailsOf } from './ledger-reading.ts';
import { account, chainOf, draft, FACET, LAST, range, sealAll, time } from './samples.ts';

/** The promises of publishing, of all chains and of pruning. */
export const CHAIN_PROMISES = {
  async 'facts returns what the entries of a period are about, newest first'({ port }) {
    const factsOf = async (period: LedgerPeriod): Promise<readonly EntryFacts[]> => {
      const found: EntryFacts[] = [];
      for await (const page of port.facts(period)) found.push(...page);
      return found;
    };
    expect(await factsOf({})).toEqual([]);
    await port.append([
      ...sealAll(A, [
        { type: 'DriftDetected', enrollment: LAST, runId: 'run-1', actor: 'anna', at: time(0) },
        { type: 'AccountLeft', enrollment: null, at: time(2_000) },
      ]),
      ...sealAll(ORGANIZATION_CHAIN, [{ type: 'ScanStarted', runId: 'run-1', at: time(1_000) }]),
    ]);
    const left = { type: 'AccountLeft', accountId: A, enrollment: null, runId: null, actor: 'rollcall' };
    const started = { type: 'ScanStarted', accountId: null, enrollment: null, runId: 'run-1', actor: 'rollcall' };
    const drift = { type: 'DriftDetected', accountId: A, enrollment: LAST, runId: 'run-1', actor: 'anna' };
    const [first, second, third] = [0, 1_000, 2_000].map((ms) => Date.parse(time(ms)));
    expect(await factsOf({})).toEqual([
      { at: third, ...left },
      { at: second, ...started },
      { at: first, ...drift },
    ]);
    // `until` is exclusive.
    expect(await factsOf({ since: time(0), until: time(2_000) })).toEqual([
      { at: second, ...started },
      { at: first, ...drift },
    ]);
    expect(await factsOf({ since: time(1_000), until: time(1_001) })).toEqual([{ at: second, ...started }]);
    await port.append(chainOf(B, 1_050));
    const many = await factsOf({ since: time(0) });
    expect(many).toHaveLength(1_053);
    expect(many.every(({ at }, n) => n === 0 || at <= (many[n - 1]?.at ?? 0))).toBe(true);
  },

  async 'readStored returns the entries of read, and the text that was hashed'({ port }) {
    const entries = sealAll(A, [{ before: FACET }, { reason: 'a "quote", \\ and 日本', detail: { optOut: true } }, {}]);
    await port.append(entries);
    const found = await port.readStored(A, 1, 10);
    expect(found.map(({ entry }) => entry)).toEqual(entries.slice(1));
    expect(found.map(({ text }) => text)).toEqual(entries.slice(1).map(canonicalJson));
    expect(found.every(hasHashedText)).toBe(true);
    expect(await port.readStored(A, 0, 1)).toHaveLength(1);
    expect(await port.readStored(B, 0, 1)).toEqual([]);
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
      { at: time(20), enrollment: LAST, reason: '4', after: FACET },
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
    const automation = { at: time(1), enrollment: LAST, reason: 'automation', after: FACET } as const;
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
} satisfies Readonly<Record<string, (subject: Subject<Ledger>) => Promise<void>>>;
