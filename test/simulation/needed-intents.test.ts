import { describe, expect, it } from 'vitest';
import { createSandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { Facet } from '../../shared/domain/enrollment/condition.ts';
import type { EntryDraft } from '../../shared/domain/ledger/entry.ts';
import { FACET, sealAll, time } from '../contract/samples.ts';
import { manualClock } from '../support/manual-clock.ts';
import { needsIntent } from './needed-intents.ts';

const MINUTE = 60_000;
const NOW = Date.parse(time(0));

/** Automation after an accepted call that AWS does not show yet. */
const ACTED: Facet = { ...FACET, verdict: 'Converging', reason: 'acted', deadline: time(MINUTE) };

type Entry = readonly [EntryDraft['type'], Facet];
const ACCEPTED: readonly Entry[] = [
  ['DriftDetected', FACET],
  ['RemediationSucceeded', ACTED],
];

const [account] = createSandbox(
  { seed: 1, accounts: 5, drift: 0, latencyMs: 0, faults: [] },
  { clock: manualClock() },
).accounts();

/** Whether a configuration that reaches an account with these entries needs an intent for it. */
function needs(entries: readonly Entry[], { enrolls = true, at = NOW } = {}): boolean {
  if (account === undefined) throw new Error('no account');
  const { accountId } = account;
  const enrollment = 'automation';
  const chain = sealAll(
    accountId,
    entries.map(([type, after]) => ({ type, accountId, enrollment, after })),
  );
  return needsIntent({ account, enrollment, organizationWide: false, enrolls }, chain, at);
}

describe('the intent of an account that a configuration reaches', () => {
  it('may be that of an earlier accepted change to the same state', () => {
    expect(needs(ACCEPTED)).toBe(false);
  });

  it('is required if the configuration changes the rule mode', () => {
    expect(needs(ACCEPTED, { enrolls: false })).toBe(true);
  });

  it('is required if the accepted change was an opt-out', () => {
    expect(needs([['RemediationSucceeded', { ...ACTED, desired: 'Inactive' }]])).toBe(true);
  });

  it('is required once the accepted change is late', () => {
    expect(needs(ACCEPTED, { at: NOW + 10 * MINUTE })).toBe(true);
    expect(needs([...ACCEPTED, ['ConvergenceStalled', { ...ACTED, verdict: 'Stalled' }]])).toBe(true);
  });

  it('is required if no change was accepted since the account drifted', () => {
    expect(needs([['DriftDetected', FACET]])).toBe(true);
    expect(needs([...ACCEPTED, ['DriftDetected', FACET]])).toBe(true);
    expect(needs([])).toBe(true);
  });
});
