import { describe, expect, it } from 'vitest';
import { canonicalJson, isCanonicalJson, sha256Hex } from '../../../../shared/domain/canonical-hash.ts';
import type { Detail, LedgerEntry } from '../../../../shared/domain/ledger/entry.ts';
import { hasHashedText } from '../../../../shared/domain/ledger/stored-entry.ts';
import { account, FACET, sealAll } from '../../../contract/samples.ts';

const [sealed] = sealAll(account(1), [
  {
    ...{ type: 'RemediationStarted', before: FACET, after: { ...FACET, attempts: 10 } },
    ...{ reason: 'statusDiffers', rule: 'production', runId: 'run-1' },
    detail: { message: 'Inactive, é', summary: { accounts: 5, list: [1, 'a', {}], empty: [] } },
  },
]);
if (sealed === undefined) throw new Error('no entry');
const TEXT = canonicalJson(sealed);

/** Makes a text whose hash is right: an attacker who can write the store computes it like anybody else. */
function rehashed(text: string): string {
  const member = `"hash":"${sealed?.hash}",`;
  const at = text.lastIndexOf(member);
  const hash = sha256Hex(text.slice(0, at) + text.slice(at + member.length));
  return `${text.slice(0, at)}"hash":"${hash}",${text.slice(at + member.length)}`;
}

function isAccepted(text: string): boolean {
  const entry: LedgerEntry = JSON.parse(text);
  return hasHashedText({ entry, text });
}

/** Texts of the same entry, or texts from which two JSON readers can read different entries. */
const FORGED: Readonly<Record<string, readonly [string, string]>> = {
  'a repeated key with another value': ['"actor":', '"actor":"mallory","actor":'],
  'a repeated key with the same value': ['"rule":"production"', '"rule":"production","rule":"production"'],
  'a repeated key in a nested object': ['"attempts":10', '"attempts":99,"attempts":10'],
  'a repeated object': ['"before":', '"before":null,"before":'],
  'a repeated hash': ['"hash":', '"hash":"x","hash":'],
  'a repeated __proto__': ['{"accountId"', '{"__proto__":{},"__proto__":null,"accountId"'],
  'a __proto__ after greater keys': ['"type":', '"__proto__":null,"type":'],
  'an escape of a plain character': ['Inactive', '\\u0049nactive'],
  'an escape of a character outside ASCII': ['é', '\\u00e9'],
  'an escaped slash': ['Inactive, ', 'Inactive\\/'],
  'an escape in a key': ['"message"', '"mess\\u0061ge"'],
  'an unpaired surrogate without its escape': ['é', '\ud800'],
  'a number with a fraction': ['"attempts":10', '"attempts":10.0'],
  'a number with an exponent': ['"attempts":10', '"attempts":1e1'],
  'a number with an exponent of zero': ['"accounts":5', '"accounts":5e0'],
  'a negative zero': ['"attempts":0', '"attempts":-0'],
  'the sequence number in another form': ['"seq":1', '"seq":1.0'],
  'a space in an object': ['"rule":', '"rule": '],
  'a line break in an array': ['[1,', '[1,\n'],
  'a space before the entry': ['{"accountId"', ' {"accountId"'],
  'a space after the entry': ['"type":"RemediationStarted"}', '"type":"RemediationStarted"} '],
  'another order of keys': ['"accounts":5,"empty":[]', '"empty":[],"accounts":5'],
  'another order of keys after the hash': ['"runId":"run-1","seq":1', '"seq":1,"runId":"run-1"'],
  'an integer key that is not first': ['"accounts":5', '"accounts":5,"5":6'],
};

describe('a stored text', () => {
  it('is accepted if it is the text that was hashed', () => {
    expect(isAccepted(TEXT)).toBe(true);
    expect(rehashed(TEXT)).toBe(TEXT);
  });

  it.each(Object.entries(FORGED))('is rejected with %s, even if its hash is right', (_, [before, after]) => {
    const text = TEXT.replace(before, after);
    expect(text).not.toBe(TEXT);
    expect(isAccepted(rehashed(text))).toBe(false);
  });

  it.each([
    ['110', '1.1e2'],
    ['110', '11e1'],
    ['123', '123.0'],
    ['1200', '12e2'],
    ['120000', '1.2e5'],
    ['100', '1e2'],
    ['9007199254740992', '9007199254740993'],
    ['9007199254740991', '9007199254740991.0'],
    ['1e+21', '1e21'],
  ])('is rejected with the number %s written as %s, even if spaces make up for a shorter form', (number, form) => {
    const [entry] = sealAll(account(1), [{ detail: { summary: { accounts: Number(number) } } }]);
    const canonical = canonicalJson(entry);
    expect(isCanonicalJson(canonical, entry)).toBe(true);
    for (const spaces of ['', ' ', '  ']) {
      const text = canonical.replace(`"accounts":${number}`, `"accounts":${spaces}${form}`);
      expect(JSON.parse(text)).toEqual(entry);
      expect(isCanonicalJson(text, JSON.parse(text))).toBe(false);
    }
  });

  it.each<[string, Detail | null, Partial<LedgerEntry>]>([
    ['escapes', { message: 'a "quote", a \\ and \u0000' }, { reason: '"hash":"x",' }],
    ['an escaped unpaired surrogate', { message: '\ud800' }, {}],
    ['a hash in its detail', { summary: { hash: 'f'.repeat(64), id: 'x' } }, {}],
    ['characters outside ASCII after the hash', null, { reason: 'é 🙂', rule: '\u2028', runId: 'ü' }],
    ['empty texts', null, { id: '', reason: '', rule: '', runId: '' }],
    ['large numbers', { summary: { accounts: 1e21, share: 0.5, debt: -7 } }, {}],
  ])('is accepted with %s', (_, detail, fields) => {
    const entries = sealAll(account(1), [{ detail, ...fields }], { seq: 99_998, hash: 'e'.repeat(64) });
    expect(entries.map(canonicalJson).map(isAccepted)).toEqual([true]);
  });

  it('is accepted with a field that this version does not know, because the hash covers it', () => {
    expect(isAccepted(rehashed(TEXT.replace('"type":', '"span":{"hash":"x"},"type":')))).toBe(true);
    expect(isAccepted(rehashed(TEXT.replace(/}$/, ',"zone":null}')))).toBe(true);
    expect(isAccepted(TEXT.replace('"type":', '"span":null,"type":'))).toBe(false);
  });

  it('is rejected if any character is changed', () => {
    const accepted: number[] = [];
    const unreadable: number[] = [];
    for (let at = 0; at < TEXT.length; at += 1) {
      const text = `${TEXT.slice(0, at)}${TEXT[at] === '1' ? '2' : '1'}${TEXT.slice(at + 1)}`;
      try {
        if (isAccepted(text)) accepted.push(at);
      } catch {
        unreadable.push(at);
      }
    }
    expect(accepted).toEqual([]);
    expect(unreadable.length).toBeLessThan(TEXT.length / 2);
  });
});
