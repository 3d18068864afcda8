import { describe, expect, test } from 'vitest';
import { type Change, ChangeFinder } from '../../../../shared/domain/ledger/changes.ts';
import { changesCsvHeader, changesCsvLine } from '../../../../shared/domain/ledger/changes-csv.ts';
import type { EntryDraft } from '../../../../shared/domain/ledger/entry.ts';
import { account, FACET, sealAll, time } from '../../../contract/samples.ts';

const COMPLIANT = { ...FACET, verdict: 'Compliant', status: 'Active' } as const;
const API = { operation: 'UpdateEnrollmentStatus', requestId: 'r-1', clientToken: null };
const START: Partial<EntryDraft> = {
  ...{ type: 'RemediationStarted', id: 'start', before: FACET, after: FACET, reason: 'statusDiffers' },
  detail: { target: 'Active' },
};
const accepted = (intentId: string): Partial<EntryDraft> => ({
  type: 'RemediationSucceeded',
  after: { ...FACET, verdict: 'Converging' },
  api: API,
  detail: { intentId },
});

function changesOf(...parts: readonly Partial<EntryDraft>[]): readonly Change[] {
  const finder = new ChangeFinder();
  const entries = sealAll(
    account(1),
    parts.map((part, at) => ({ at: time(at), ...part })),
  );
  return [...entries.flatMap((entry) => finder.take(entry)), ...finder.end()];
}

describe('the changes in the entries', () => {
  test('a change is confirmed by the first observation of the desired state', () => {
    const found = changesOf(START, accepted('start'), { type: 'DriftResolved', after: COMPLIANT });
    expect(found).toMatchObject([
      {
        ...{ kind: 'Change by Rollcall', startedAt: time(0), endedAt: time(2), target: account(1), actor: 'rollcall' },
        ...{ before: 'Inactive', requested: 'Active', after: 'Active', outcome: 'Confirmed', requestId: 'r-1' },
        ...{ reason: 'the status differs from the policy', entryId: 'start' },
      },
    ]);
  });

  test.each<readonly [string, readonly Partial<EntryDraft>[], string]>([
    ['without an outcome', [], 'No outcome is recorded in this period'],
    ['accepted only', [accepted('start')], 'Accepted by AWS; not confirmed in this period'],
    ['not confirmed in time', [accepted('start'), { type: 'ConvergenceStalled' }], 'Not confirmed in time'],
    [
      'failed',
      [
        {
          type: 'RemediationFailed',
          detail: { intentId: 'start', error: { kind: 'Denied', code: 'AccessDenied', message: 'no' } },
        },
      ],
      'Failed: AccessDenied: no',
    ],
    ['blocked', [{ type: 'RemediationBlocked', detail: { intentId: 'start', message: 'later' } }], 'Blocked: later'],
  ])('%s', (_, parts, outcome) => {
    expect(changesOf(START, ...parts).map((change) => change.outcome)).toEqual([outcome]);
  });

  test('a change that began before the entries has no start', () => {
    const found = changesOf(accepted('earlier'), { type: 'DriftResolved', after: COMPLIANT });
    expect(found).toMatchObject([{ startedAt: null, endedAt: time(1), outcome: 'Confirmed', entryId: 'earlier' }]);
  });

  test('the outcome of another intent leaves the open change without one', () => {
    const found = changesOf(START, accepted('other'));
    expect(found).toMatchObject([
      { entryId: 'start', outcome: 'No outcome is recorded in this period' },
      { entryId: 'other', outcome: 'Accepted by AWS; not confirmed in this period' },
    ]);
  });

  test('a drift is a change by somebody else', () => {
    const changedBy = { actor: 'arn:aws:iam::1:user/bob', operation: 'Update', requestId: null, at: time(-1) };
    expect(changesOf({ before: COMPLIANT, after: FACET, detail: { changedBy } }, { after: FACET })).toMatchObject([
      {
        kind: 'Drift',
        startedAt: time(-1),
        actor: changedBy.actor,
        before: 'Active',
        after: 'Inactive',
        requested: null,
        outcome: 'Detected; policy: Active',
      },
      { kind: 'Drift', startedAt: null, actor: 'unknown' },
    ]);
  });

  test('a configuration of an OU is a change of that OU', () => {
    const configuration = { targetId: 'ou-1', target: '/Prod', ruleMode: 'AnyAllowed' };
    const found = changesOf(
      { type: 'ConfigurationStarted', enrollment: null, detail: { configuration } },
      { type: 'ConfigurationEnded', enrollment: null, api: API, detail: { configuration } },
    );
    expect(found).toMatchObject([
      { kind: 'Organization configuration', target: 'ou-1', requested: 'AnyAllowed', outcome: 'Accepted by AWS' },
    ]);
  });

  test('in CSV, what people wrote is never a formula', () => {
    const [change] = changesOf({ after: FACET, actor: '=1+1', rule: '=1+1' });
    const line = changesCsvLine(change ?? expect.fail());
    expect(line).toContain("'=1+1");
    expect(line.split(',')).toHaveLength(changesCsvHeader().split(',').length);
  });
});
