import { describe, expect, test } from 'vitest';
import {
  BRIEF_REASONS,
  type BriefSubject,
  briefReason,
  observedToDesired,
} from '../../../../shared/domain/enrollment/brief-reason.ts';

const SUBJECT: BriefSubject = {
  ...{ enrollment: 'automation', reason: 'statusDiffers', status: 'Inactive', ruleMode: null },
  ...{ desired: 'Active', desiredRuleMode: null, notBefore: '2026-12-02T06:12:00.000Z', attempts: 5 },
  ...{ changedBy: 'arn:aws:sts::444455556666:assumed-role/legacy-cost-cleanup/1733061732', reversions: 3 },
};
const short = (): string => '2 Dec 2027';
const said = (fields: Partial<BriefSubject>) => briefReason({ ...SUBJECT, ...fields }, short);

describe('the sentence of a row', () => {
  test.each(Object.keys(BRIEF_REASONS))(
    '%s takes at most 50 characters without the actor, and is no code',
    (reason) => {
      for (const notBefore of [SUBJECT.notBefore, null]) {
        const text = said({ reason, notBefore, changedBy: 'X' }) ?? '';
        expect(text.length).toBeLessThanOrEqual(50);
        expect(text).toMatch(/^[A-Z].* /);
        expect(text).not.toMatch(/[.]$|null|undefined/);
      }
    },
  );

  test.each([
    [{}, 'Inactive → Active, not fixed yet; by legacy-cost-cleanup'],
    [{ changedBy: null }, 'Inactive → Active, not fixed yet'],
    [{ reason: 'alertOnly' }, 'Inactive → Active, alert only; by legacy-cost-cleanup'],
    [{ reason: 'contested' }, 'Contested: reverted 3 times by legacy-cost-cleanup'],
    [{ reason: 'contested', changedBy: null }, 'Contested: reverted 3 times by an unknown actor'],
    [{ reason: 'coolDown' }, 'Cool-down until 2 Dec 2027; by legacy-cost-cleanup'],
    [{ reason: 'prerequisite' }, 'Needs Compute Optimizer first'],
    [{ reason: 'suspendedByOperator', notBefore: null }, 'Suspended until resumed'],
    [{ reason: 'exemption' }, 'Exempt until 2 Dec 2027'],
    [{ reason: 'ofALaterVersion' }, 'ofALaterVersion'],
    [{ reason: null }, null],
  ])('%j: %s', (fields, text) => expect(said(fields)).toBe(text));

  test('names what differs, and nothing if a state is unknown', () => {
    expect(
      observedToDesired({ ...SUBJECT, status: 'Active', ruleMode: 'NoneAllowed', desiredRuleMode: 'AnyAllowed' }),
    ).toBe('NoneAllowed → AnyAllowed');
    expect(observedToDesired({ ...SUBJECT, status: null })).toBeNull();
    expect(observedToDesired({ ...SUBJECT, status: 'Active' })).toBeNull();
  });
});
