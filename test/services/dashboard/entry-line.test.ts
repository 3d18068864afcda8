import { expect, test } from 'vitest';
import { entryLook } from '../../../services/dashboard/browser/entry-line.ts';
import type { Entry, Facet } from '../../../services/dashboard/browser/types.ts';

const FACET: Facet = {
  ...{ verdict: 'Blocked', reason: 'coolDown', rule: 'defaults', notBefore: null },
  ...{ status: 'Inactive', ruleMode: null, desired: 'Active', desiredRuleMode: null },
  ...{ lastUpdated: null, deadline: null, attempts: 0 },
};
const markOf = (type: Entry['type'], after: Facet | null) => entryLook({ type, after }).mark;

test('a blocked remediation looks as the status that it leads to', () => {
  expect(markOf('RemediationBlocked', FACET)).toBe('waiting');
  expect(markOf('RemediationBlocked', { ...FACET, reason: 'denied' })).toBe('attention');
});

test('an entry that records a new status has the mark of that status', () => {
  expect(markOf('VerdictChanged', FACET)).toBe('waiting');
  expect(markOf('VerdictChanged', { ...FACET, verdict: 'Exempt', reason: null })).toBe('exempt');
});

test('only an entry about a state or a command has a look', () => {
  const types = ['DriftDetected', 'DriftResolved', 'AccountSuspended', 'EnforcementHalted', 'ScanCompleted'] as const;
  expect(types.map((type) => markOf(type, null))).toEqual(['drifted', 'compliant', 'suspended', 'attention', 'na']);
});
