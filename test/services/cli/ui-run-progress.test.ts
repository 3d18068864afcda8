import { expect, test } from 'vitest';
import { runProgress } from '../../../services/cli/ui/run-progress.ts';
import { CHANGE_OUTCOMES, type ChangeOutcome } from '../../../shared/app/queries/answers/runs.ts';
import type { RunView } from '../../../shared/app/queries/runs.ts';

const NONE = { confirmed: 0, inProgress: 0, failed: 0, blocked: 0, notStarted: 0, unplanned: 0, driftedAgain: 0 };

function run(outcome: RunView['outcome'], some: Partial<Record<ChangeOutcome, number>>) {
  const outcomes = {
    ...{ 'Needs attention': 0, 'In progress': 0, Waiting: 0, 'Not started': 0, Superseded: 0, Succeeded: 0 },
    ...some,
  };
  const total = CHANGE_OUTCOMES.reduce((sum, each) => sum + outcomes[each], 0);
  return { outcome, outcomes, changes: { ...NONE, total } };
}

test('the progress of a run names every change, in the words of the dashboard', () => {
  const some = { Succeeded: 1_054, 'In progress': 8, Waiting: 5, 'Not started': 3, Superseded: 1 };
  expect(runProgress(run('In progress', { ...some, 'Needs attention': 1 }))).toEqual([
    '',
    'Run: 1,054 of 1,072 changes succeeded, 1 needs attention, 8 in progress, 5 waiting, 3 not started, 1 superseded',
  ]);
  expect(runProgress(run('Waiting', { Succeeded: 102, Waiting: 5 })).at(-1)).toBe(
    'Run: 102 of 107 changes succeeded, 5 waiting',
  );
});

test('a run that makes no further changes has no progress', () => {
  expect(runProgress(null)).toEqual([]);
  expect(runProgress(run('Completed', { Succeeded: 107 }))).toEqual([]);
  expect(runProgress(run('Needs attention', { Succeeded: 106, 'Needs attention': 1 }))).toEqual([]);
  expect(runProgress(run('Nothing planned', {}))).toEqual([]);
});
