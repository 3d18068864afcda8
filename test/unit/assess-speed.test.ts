import { expect, it } from 'vitest';
import { assess } from '../../shared/domain/decision/assess.ts';
import type { Observations } from '../../shared/domain/enrollment/mismatch.ts';
import type { OrganizationAccount } from '../../shared/domain/policy/index.ts';
import { condition, contextOf, MEMBER, NOW, policyOf, recordOf, seen } from '../support/domain-kit.ts';

const ACCOUNTS = 10_000;
const ROUNDS = 20;

it('diff speed (a figure, no promise: machines differ)', () => {
  const rules = Array.from({ length: 20 }, (_, n) => `  - { id: r${n}, match: { ou: /Team${n} }, automation: Active }`);
  const policy = policyOf('computeOptimizer: Active, automation: Active', `rules:\n${rules.join('\n')}`);
  const facts = Array.from({ length: ACCOUNTS }, (_, n): OrganizationAccount => {
    return { ...MEMBER, id: String(100_000_000_000 + n), ou: `/Team${n % 40}/Sub` };
  });
  // One in five drifts; the others are as wanted, as in an organization that has been looked after.
  const observations = facts.map((_, n): Observations => {
    return { computeOptimizer: seen(n % 5 === 0 ? 'Inactive' : 'Active'), automation: seen('Active') };
  });
  const compliant = condition({ verdict: 'Compliant', reason: null, status: 'Active', driftSince: null });
  const record = recordOf({ computeOptimizer: compliant, automation: compliant });
  const context = contextOf({ policy, now: NOW });
  let drifted = 0;
  const started = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) {
    facts.forEach((account, n) => {
      const found = assess(
        context,
        account,
        observations[n] ?? { computeOptimizer: seen('Active'), automation: seen('Active') },
        record,
      );
      if (found.computeOptimizer.verdict === 'Drifted') drifted += 1;
    });
  }
  const perSecond = (2 * ACCOUNTS * ROUNDS) / ((performance.now() - started) / 1000);
  process.stdout.write(
    `diff: ${Math.round(perSecond).toLocaleString('en')} account-enrollments a second on one core\n`,
  );
  expect(drifted).toBe((ACCOUNTS / 5) * ROUNDS);
});
