import { describe, expect, it } from 'vitest';
import { lastInChain, policyLimit } from '../../../../../shared/app/queries/evidence/policies.ts';
import type { LedgerEntry } from '../../../../../shared/domain/ledger/entry.ts';
import { sealAll, time } from '../../../../contract/samples.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
const changed = (policyHash = '', message = '', at = 0): LedgerEntry =>
  one({ type: 'PolicyChanged', policyHash, at: time(at), detail: { message } });
const scan = (policyHash = ''): LedgerEntry => one({ type: 'ScanStarted', policyHash, at: time(5) });
const one = (fields: Partial<LedgerEntry>) => sealAll('organization', [fields])[0] ?? expect.fail();

describe('the policy from before the period', () => {
  it('is the last one if a scan, or the next change, names it', () => {
    expect(policyLimit(changed(A), scan(A))).toBeNull();
    expect(policyLimit(changed(A), changed(B, `replaces ${A}`))).toBeNull();
    expect(policyLimit(null, null)).toBeNull();
    expect(policyLimit(null, changed(A, 'the first policy'))).toBeNull();
  });

  it('was replaced, or is missing, if they name another', () => {
    for (const first of [scan(C), changed(B, `replaces ${C}`)]) {
      expect(policyLimit(changed(A), first)).toMatch(
        /^The policy from before the period was no longer in force .* names policy cccccccccccc/,
      );
      expect(policyLimit(null, first)).toMatch(/^The policy that was in force when the period began is missing: /);
    }
  });

  it('may have been replaced if nothing names it', () => {
    for (const first of [null, changed(B, 'the first policy')])
      expect(policyLimit(changed(A), first)).toMatch(/^No scan of the period shows/);
  });

  it('is the last in the chain, even if the clock of its writer was behind', () => {
    const [one, two] = sealAll('organization', [
      { type: 'PolicyChanged', policyHash: A ?? '', at: time(9) },
      { type: 'PolicyChanged', policyHash: B ?? '', at: time(3) },
    ]);
    if (one === undefined || two === undefined) expect.fail('no entries');
    expect(lastInChain([one, two])?.policyHash).toBe(B);
    expect(lastInChain([])).toBeNull();
  });
});
