import { CHANGE_LOOKS, runLook } from '../run-line.ts';
import type { Run, RunChanges } from '../types.ts';
import { Mark, Pill } from './icon.tsx';

/** How a run ended. Only what needs attention is loud. */
export function RunOutcome({ outcome }: Pick<Run, 'outcome'>) {
  const { mark, tone } = runLook(outcome);
  return (
    <span
      class={`st c-${tone} ${tone === 'attention' ? 'loud' : tone === 'quiet' || tone === 'compliant' ? 'calm' : ''}`}
    >
      <Mark name={mark} />
      <span>{outcome}</span>
    </span>
  );
}

export function RunPill({ outcome }: Pick<Run, 'outcome'>) {
  const { mark, tone } = runLook(outcome);
  return <Pill tone={tone} mark={mark} text={outcome} />;
}

/** How a change ended. */
export function ChangeOutcomeMark({ result }: Pick<RunChanges['changes'][number], 'result'>) {
  const { mark, tone } = CHANGE_LOOKS[result];
  return (
    <span class={`st c-${tone} ${result === 'Needs attention' ? 'loud' : result === 'Succeeded' ? 'calm' : ''}`}>
      <Mark name={mark} />
      <span>{result}</span>
    </span>
  );
}
