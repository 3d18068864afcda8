import { expect, test } from 'vitest';
import {
  addedText,
  approvalText,
  doneText,
  driftedAgainText,
  madeText,
  openText,
  stoppedEffect,
  triggerText,
} from '../../../services/dashboard/browser/run-line.ts';
import type { Run } from '../../../services/dashboard/browser/types.ts';

const OUTCOMES: Run['outcomes'] = {
  ...{ 'Needs attention': 0, 'In progress': 0, Waiting: 0, 'Not started': 0, Superseded: 0, Succeeded: 0 },
};
const RUN: Run = {
  ...{ runId: 'r', startedAt: '2026-03-01T12:00:00.000Z', completedAt: '2026-03-01T12:00:10.000Z', endedAt: null },
  ...{ actor: 'rollcall', policyHash: null, planHash: null, summary: null, coverage: null, due: 0, totals: null },
  changes: {
    total: 0,
    confirmed: 0,
    inProgress: 0,
    failed: 0,
    blocked: 0,
    notStarted: 0,
    unplanned: 0,
    driftedAgain: 0,
  },
  outcomes: OUTCOMES,
  ...{ outcome: 'Nothing planned', trigger: null, drift: 0, failed: 0, stopped: null },
};

test('changes that events add to a run are named apart from those that it planned', () => {
  expect(addedText(RUN)).toBeNull();
  const run: Run = { ...RUN, changes: { ...RUN.changes, unplanned: 1_234 } };
  expect([openText(run), addedText(run)]).toEqual(['', '1,234 added later']);
});

test('a run without planned changes does not deny those that were added later', () => {
  const run: Run = { ...RUN, changes: { ...RUN.changes, unplanned: 4 } };
  expect([run.outcome, madeText(run), addedText(run)]).toEqual(['Nothing planned', '0 planned', '4 added later']);
  expect(doneText({ ...run, endedAt: RUN.completedAt }, '10 s')).toBe('in 10 s');
});

test('a change that waits or needs attention is not done', () => {
  const outcomes = { ...OUTCOMES, Succeeded: 296, Superseded: 1, Waiting: 2, 'Needs attention': 1 };
  const run: Run = { ...RUN, endedAt: RUN.completedAt, outcomes, changes: { ...RUN.changes, total: 300 } };
  expect(doneText(run, '41 s')).toBe('99% done in 41 s; 2 waiting, 1 needs attention');
  expect(doneText({ ...run, outcomes: { ...OUTCOMES, Succeeded: 300 } }, '41 s')).toBe('100% done in 41 s');
  expect(
    doneText({ ...run, endedAt: null, outcomes: { ...OUTCOMES, Succeeded: 150, 'Not started': 150 } }, '9 s'),
  ).toBe('50% done after 9 s; 150 not started');
});

test('accounts that drift after the run fixed them are counted separately from open changes', () => {
  expect(driftedAgainText(RUN)).toBeNull();
  const run: Run = { ...RUN, outcome: 'Completed', changes: { ...RUN.changes, total: 5, driftedAgain: 2 } };
  expect([openText(run), driftedAgainText(run)]).toEqual(['', '2 drifted again later']);
});

test('a trigger names the person who asked for the run', () => {
  const by = (kind: NonNullable<Run['trigger']>['kind'], actor: string | null) =>
    triggerText({ ...RUN, trigger: { kind, actor, reason: null } });
  expect(by('approval', 'user:anna')).toBe('Approved plan: anna');
  expect(by('event', null)).toBe('Event');
});

test('the approval of a plan names the run that used it, before or after this run', () => {
  const approval = {
    ...{ actor: 'user:anna', reason: null, at: '2026-03-01T12:01:00.000Z', expiresAt: '2026-03-02T12:01:00.000Z' },
    ...{ usedBy: null, usedAt: null },
  };
  const at = (time: string) => Date.parse(time);
  const used = (usedBy: string, usedAt: string) => approvalText(RUN, { ...approval, usedBy, usedAt }, at(usedAt));
  expect(approvalText(RUN, approval, at('2026-03-01T13:00:00.000Z')).text).toBe(
    'Approved by anna: the next run makes these changes.',
  );
  expect(approvalText(RUN, approval, at('2026-03-03T12:00:00.000Z')).text).toBe('The approval by anna expired unused.');
  expect(used('later', '2026-03-01T12:02:00.000Z')).toEqual({
    text: 'Approved by anna. A later run made the changes, so this one stays stopped.',
    usedBy: 'later',
  });
  expect(used('r', '2026-03-01T12:02:00.000Z')).toEqual({ text: 'This run used the approval by anna.', usedBy: null });
  expect(used('earlier', '2026-03-01T11:00:00.000Z')).toEqual({
    text: 'An earlier run used the approval by anna.',
    usedBy: 'earlier',
  });
});

test('a stopped run says whether it has changed something', () => {
  expect(stoppedEffect('maxChanges')).toBe('Nothing was changed.');
  expect(stoppedEffect('rollout')).toBe('Only canaries were changed.');
  expect(stoppedEffect('failureTolerance')).toBe('It makes no further changes.');
});
