import { ENROLLMENT_IDS, type EnrollmentId } from '../../../domain/enrollment/kinds/index.ts';
import { type Progress, WORK_OUTCOMES, type WorkOutcome } from '../../context.ts';

interface CountedWork {
  readonly labels: { readonly kind: EnrollmentId; readonly outcome: WorkOutcome };
  readonly value: number;
}

/** Counts the keys that the process works on, by kind and outcome. */
export class WorkMeter {
  readonly #counts = new Map<string, number>();

  readonly take = (event: Progress): void => {
    if (event.kind !== 'worked') return;
    const key = keyOf(event.enrollment, event.outcome);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  };

  /** Every combination, zeros included: `rate()` misses the first increase of a series that did not exist before it. */
  counts(): readonly CountedWork[] {
    return ENROLLMENT_IDS.flatMap((kind) =>
      WORK_OUTCOMES.map((outcome) => {
        return { labels: { kind, outcome }, value: this.#counts.get(keyOf(kind, outcome)) ?? 0 };
      }),
    );
  }
}

const keyOf = (kind: EnrollmentId, outcome: WorkOutcome): string => `${kind} ${outcome}`;
