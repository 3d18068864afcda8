import { expect, it } from 'vitest';
import type { EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import type { Assessment } from '../../../../shared/domain/enrollment/verdict.ts';
import { judged, MEMBER_ID, type Situation } from '../../../support/domain-kit.ts';

type Expected = Partial<Assessment>;
export type Case = readonly [name: string, situation: Situation, expected: Expected];

export function table(enrollment: EnrollmentId, cases: readonly Case[]): void {
  for (const [name, situation, expected] of cases) {
    it(name, () => {
      const assessment = judged(situation)[enrollment];
      expect(assessment).toMatchObject(expected);
      // Only Drifted has a call, and only Compliant has no reason.
      if (assessment.verdict !== 'Drifted') expect(assessment.action).toBe('none');
      expect(assessment.reason === null).toBe(assessment.verdict === 'Compliant');
    });
  }
}

export const exemption = (enrollment: string): string =>
  `exemptions:\n  - { accounts: ["${MEMBER_ID}"], enrollment: ${enrollment}, until: 2026-12-31, reason: freeze, owner: a@example.com }`;

export const MODE_OFF = 'rules: [{ id: off, match: { ou: /Workloads }, mode: off }]';
