import { Bar } from '../parts/bar.tsx';
import { barParts } from '../run-line.ts';
import type { Run } from '../types.ts';

/** The changes of a run by outcome, as a bar. The numbers are shown beside it. */
export function Outcomes({ outcomes }: Pick<Run, 'outcomes'>) {
  const parts = barParts(outcomes).filter(({ size }) => size > 0);
  return <Bar parts={parts} label={parts.map(({ text }) => text).join(', ') || 'nothing'} />;
}
