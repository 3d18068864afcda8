import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, isCanonicalJson, sha256Hex } from '../../../../shared/domain/canonical-hash.ts';
import {
  type ChainHead,
  checkLink,
  EMPTY_CHAIN,
  GENESIS_HASH,
  hashEntry,
  headOf,
  type LedgerEntry,
  sealEntry,
} from '../../../../shared/domain/ledger/entry.ts';
import { chainOf, draft, FACET, sealAll, time } from '../../../contract/samples.ts';

const CHAIN = '111111111111';

/** The first fault of a chain, as `verify` reports it. */
function firstFault(entries: readonly LedgerEntry[]): string | null {
  let head: ChainHead = EMPTY_CHAIN;
  for (const entry of entries) {
    const fault = checkLink(head, entry);
    if (fault !== null) return `${fault.kind} at ${fault.seq}`;
    head = headOf(entry);
  }
  return null;
}

const full = sealAll(CHAIN, [
  {
    type: 'RemediationStarted',
    before: FACET,
    after: { ...FACET, attempts: 1 },
    reason: 'statusDiffers',
    rule: 'production',
    policyHash: 'b'.repeat(64),
    runId: 'run-1',
    api: { operation: 'UpdateEnrollmentStatus', requestId: 'r-1', clientToken: 'c-1' },
    detail: {
      message: 'ünïcode 🙂 \u2028 \ud800',
      batch: ['111111111111'],
      claimExpiresAt: time(60_000),
      optOut: false,
    },
  },
  { type: 'DriftResolved', at: time(1) },
  { type: 'DriftDetected', at: time(2) },
]);

describe('a chain', () => {
  it('begins with the genesis hash and counts from 1', () => {
    expect(full[0]).toMatchObject({ seq: 1, prevHash: GENESIS_HASH });
    expect(firstFault(full)).toBeNull();
  });

  it('stays valid through JSON', () => {
    const again: readonly LedgerEntry[] = JSON.parse(JSON.stringify(full));
    expect(firstFault(again)).toBeNull();
    expect(again.map(hashEntry)).toEqual(full.map(({ hash }) => hash));
  });

  it('detects a gap', () => {
    const chain = chainOf(CHAIN, 4);
    expect(firstFault([...chain.slice(0, 1), ...chain.slice(2)])).toBe('gap at 3');
    expect(firstFault(chain.slice(1))).toBe('gap at 2');
  });

  it('detects a fork: another entry with the same number, or with another predecessor', () => {
    const [first, second] = chainOf(CHAIN, 2);
    if (first === undefined || second === undefined) expect.fail('two entries');
    const rival = sealEntry(draft({ chain: CHAIN, reason: 'rival' }), headOf(first));
    expect(firstFault([first, second, rival])).toBe('fork at 2');
    const after = sealEntry(draft({ chain: CHAIN }), headOf(rival));
    expect(firstFault([first, second, after])).toBe('fork at 3');
  });

  it('detects an edit of any field before any other fault of that entry', () => {
    const [entry] = full;
    if (entry === undefined) expect.fail('an entry');
    const edits: readonly Partial<LedgerEntry>[] = [
      { id: 'x' },
      { chain: '222222222222' },
      { at: time(7) },
      { type: 'RemediationFailed' },
      { accountId: '222222222222' },
      { enrollment: 'automation' },
      { runId: null },
      { actor: 'mallory' },
      { before: null },
      { after: { ...FACET, attempts: 2 } },
      { reason: null },
      { rule: 'other' },
      { policyHash: 'c'.repeat(64) },
      { api: { operation: 'UpdateEnrollmentStatus', requestId: 'r-2', clientToken: 'c-1' } },
      { detail: { message: 'other' } },
      { detail: { ...entry.detail, optOut: true } },
      { prevHash: 'd'.repeat(64) },
      { hash: 'e'.repeat(64) },
    ];
    for (const edit of edits) {
      expect(checkLink(EMPTY_CHAIN, { ...entry, ...edit })?.kind, JSON.stringify(edit)).toBe('edit');
    }
    // The edits cover every field except the number; a new field must be added here.
    const edited = new Set(edits.flatMap((edit) => Object.keys(edit)));
    expect(Object.keys(entry).filter((name) => name !== 'seq' && !edited.has(name))).toEqual([]);
  });

  it('detects an edited entry with a recomputed hash by its successor', () => {
    const [first, second] = chainOf(CHAIN, 2);
    if (first === undefined || second === undefined) expect.fail('two entries');
    const forged = { ...first, actor: 'mallory' };
    expect(firstFault([{ ...forged, hash: hashEntry(forged) }, second])).toBe('fork at 2');
  });

  it('detects any single change in its JSON', () => {
    const text = JSON.stringify(full);
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom(...'0aZ"{}:, '), (at, character) => {
        fc.pre(text[at] !== character);
        let entries: readonly LedgerEntry[];
        try {
          entries = JSON.parse(text.slice(0, at) + character + text.slice(at + 1));
        } catch {
          return;
        }
        // White space between tokens does not change the entry.
        if (canonicalJson(entries) === canonicalJson(full)) return;
        const whole = Array.isArray(entries) && entries.length === full.length;
        if (whole) expect(firstFault(entries)).not.toBeNull();
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('canonical JSON', () => {
  const shuffled = (value: fc.JsonValue, order: (keys: string[]) => string[]): unknown => {
    if (Array.isArray(value)) return value.map((item) => shuffled(item, order));
    if (typeof value !== 'object' || value === null) return value;
    const pairs = order(Object.keys(value)).map((key) => [key, shuffled(value[key] ?? null, order)]);
    return Object.fromEntries(pairs);
  };

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(shuffled(value, (keys) => keys.toReversed()))).toBe(canonicalJson(value));
      }),
    );
  });

  it('is recognized by its text, whatever form another text has', () => {
    const edit = fc.tuple(
      fc.nat(),
      fc.nat({ max: 2 }),
      fc.constantFrom(
        '',
        ' ',
        '0',
        '1',
        '-',
        '.0',
        'e1',
        'e2',
        '00',
        '"',
        ',',
        '"a":1,',
        '"1":2,',
        '\\u0061',
        '\\/',
        'é',
        '{}',
        '[]',
      ),
    );
    const keys = fc.oneof(fc.constantFrom('a', 'b', 'hash', '1', '2', '10', ''), fc.string({ maxLength: 4 }));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        ...[
          fc.constantFrom(null, true, false, -0, 7, 10, 42, 99, 100, 101, 1000, 1230, 2 ** 53 - 1, 2 ** 53, 1e21, 0.5),
          fc.string({ maxLength: 5 }),
        ],
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.array(edit, { maxLength: 2 }), fc.boolean(), (any, edits, isSorted) => {
        let text = isSorted ? canonicalJson(any) : JSON.stringify(any);
        for (const [place, removed, added] of edits) {
          const at = place % (text.length + 1);
          text = text.slice(0, at) + added + text.slice(at + removed);
        }
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {
          return;
        }
        expect(isCanonicalJson(text, parsed)).toBe(canonicalJson(parsed) === text);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is equivalent JSON, so that a stored value gives the same text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('omits undefined members, as JSON does', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, 1], c: Number.NaN })).toBe('{"a":[null,1],"c":null}');
  });

  it('differs for different values', () => {
    expect(canonicalJson(['a,b'])).not.toBe(canonicalJson(['a', 'b']));
    expect(canonicalJson({ a: '1' })).not.toBe(canonicalJson({ a: 1 }));
  });

  it('is hashed with SHA-256', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
