import { describe, expect, it } from 'vitest';
import {
  type Explained,
  explainStatus,
  STATUS_MEANINGS,
  shortReason,
} from '../../../../shared/domain/enrollment/explain-status.ts';
import { REASON_WORDS } from '../../../../shared/domain/enrollment/reason-codes.ts';
import { STATUSES } from '../../../../shared/domain/enrollment/status.ts';

const AUTOMATION: Explained = {
  ...{ enrollment: 'automation', status: 'Needs attention', reason: null, accountId: '190816439781' },
  ...{ notBefore: null, ruleMode: null, branch: null },
};
const minute = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;
const explained = (seen: Partial<Explained>) => explainStatus({ ...AUTOMATION, ...seen }, minute);

describe('the words for reasons', () => {
  it.each(Object.entries(REASON_WORDS))('%s: a sentence, a few words, and what to do', (_, words) => {
    expect(words.text).toMatch(/^[a-zA-Z].*[^.]$/);
    expect(words.short.length).toBeLessThan(27);
    expect(words.todo).toMatch(words.steps === undefined ? /^[A-Z].*\.$/ : /^[A-Z].*:$/);
    if (words.cause !== undefined) expect(words.cause).toMatch(/^[A-Z].*\.$/);
  });

  it.each(STATUSES)('%s has a meaning, and says what to do', (status) => {
    expect(STATUS_MEANINGS[status].meaning).toMatch(/^[A-Z].*\.$/);
    expect(STATUS_MEANINGS[status].todo).toMatch(/\.$/);
  });
});

describe('a reason in a few words', () => {
  it('names the prerequisite, and whether it comes by itself', () => {
    expect(shortReason({ ...AUTOMATION, reason: 'prerequisite' })).toBe('needs Compute Optimizer first');
    expect(shortReason({ ...AUTOMATION, status: 'Waiting', reason: 'prerequisite' })).toBe('after Compute Optimizer');
  });

  it('is the code for a reason of another version, and empty without a reason', () => {
    expect(shortReason({ ...AUTOMATION, reason: 'ofTomorrow' })).toBe('ofTomorrow');
    expect(shortReason({ ...AUTOMATION, status: 'Compliant' })).toBe('');
  });
});

describe('the explanation of a status', () => {
  it('is empty without a reason', () => {
    expect(explained({ status: 'Compliant' })).toBeNull();
  });

  it('counts the reversions of a contested enrollment and names the account in commands', () => {
    const setBacks = ['05', '06', '07'].map((hour) => ({ at: `2026-12-08T${hour}:00:00Z`, by: null }));
    expect(explained({ reason: 'contested', setBacks })).toEqual({
      cause: 'Contested: someone reverted it 3 times in 24 hours, so Rollcall stopped changing it.',
      todo: "Agree with the account's owner which state is right, then do one of these:",
      steps: [
        { what: 'rollcall resume 190816439781', effect: 'enforce the policy again' },
        { what: 'add an exemption to the policy' },
      ],
    });
  });

  it('says when a cool-down ends', () => {
    const notBefore = '2026-12-09T06:12:00.000Z';
    expect(explained({ status: 'Waiting', reason: 'coolDown', notBefore })).toEqual({
      cause: 'AWS does not allow enabling it within 24 hours after it was disabled.',
      todo: 'Nothing to do. The first run after 2026-12-09 06:12 UTC fixes it.',
      steps: [],
    });
  });

  it('names the configuration that governs the account', () => {
    const ruleModeSource = { type: 'inherited', targetId: 'ou-7f3a-k2m9p4qz' } as const;
    const branch = { ou: '/Platform', unitIds: ['r-7f3a', 'ou-7f3a-k2m9p4qz'] };
    const seen = { reason: 'organizationConfiguration', ruleMode: 'NoneAllowed', ruleModeSource, branch } as const;
    expect(explained(seen)?.cause).toBe(
      'An organization enrollment configuration on OU /Platform (ou-7f3a-k2m9p4qz) sets NoneAllowed and takes precedence over the account.',
    );
    expect(explained(seen)?.steps).toContainEqual({
      what: 'rollcall plan',
      effect: 'if Rollcall manages it already: shows the change and whether it needs an approval',
    });
  });

  it('refers to the prerequisite that needs attention', () => {
    expect(explained({ reason: 'prerequisite' })).toEqual({
      cause: 'Needs Compute Optimizer first.',
      todo: 'Resolve Compute Optimizer; the rest follows.',
      steps: [],
    });
  });

  it('shows a reason of another version as it is', () => {
    expect(explained({ reason: 'ofTomorrow' })?.cause).toBe('OfTomorrow.');
  });
});
