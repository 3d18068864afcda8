import { expect, it } from 'vitest';
import { awaitingConfiguration } from '../../../../shared/app/reconciler/error-policy.ts';

const MINUTE_MS = 60_000;

it('an account to which AWS never applies its configuration is read less and less often', () => {
  const pauses: number[] = [];
  let attempts = 0;
  for (let round = 0; round < 12; round += 1) {
    const outcome = awaitingConfiguration(attempts, 0, () => 0.5);
    expect(outcome).toMatchObject({ verdict: 'Drifted', reason: 'retrying', attempts: attempts + 1, counts: false });
    pauses.push(outcome.notBefore ?? 0);
    attempts = outcome.attempts;
  }
  // AWS takes up to five minutes, during which it is read every minute or two.
  expect(pauses.slice(0, 3).every((pause) => pause >= MINUTE_MS && pause <= 2 * MINUTE_MS)).toBe(true);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  expect(pauses.at(-1)).toBeGreaterThan(60 * MINUTE_MS);
});
