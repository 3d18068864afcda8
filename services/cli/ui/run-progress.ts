import { CHANGE_OUTCOMES, type ChangeOutcome } from '../../../shared/app/queries/answers/runs.ts';
import type { RunView } from '../../../shared/app/queries/runs.ts';
import { number } from './words.ts';

/** `Run: 54 of 107 changes succeeded, 8 in progress, 45 not started`, while a run has changes that are made without anybody acting. */
export function runProgress(run: Pick<RunView, 'outcome' | 'outcomes' | 'changes'> | null): string[] {
  if (run === null || (run.outcome !== 'In progress' && run.outcome !== 'Waiting')) return [];
  const { outcomes, changes } = run;
  if (changes.total === 0) return [];
  const open = CHANGE_OUTCOMES.filter((each) => each !== 'Succeeded').flatMap((each) => partOf(each, outcomes[each]));
  const made = `${number(outcomes.Succeeded)} of ${number(changes.total)} changes succeeded`;
  return ['', `Run: ${[made, ...open].join(', ')}`];
}

function partOf(outcome: ChangeOutcome, n: number): string[] {
  if (n === 0) return [];
  const words = outcome === 'Needs attention' && n !== 1 ? 'need attention' : outcome.toLowerCase();
  return [`${number(n)} ${words}`];
}
