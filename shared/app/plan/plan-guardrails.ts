import { type Coverage, type GuardrailInput, isCovered, type Trip, tripped } from '../../domain/decision/guardrails.ts';
import type { Change } from '../../domain/decision/plan.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';

export interface PlanGuardrailInput extends Omit<GuardrailInput, 'changes'> {
  /** Coverage by the kind and its prerequisites alone. */
  readonly coverageByKind: Readonly<Record<EnrollmentId, Coverage>>;
}

/**
 * Checks the guardrails and returns the due changes that the run may make. If `minCoverage` trips because of one kind, such as a denied listing, changes
 * of the others are made, unless a later change of this run would need that kind. The organization-wide call is made in any case: it requires that no
 * account is Unknown, and it restores the listings if trusted access was lost.
 * @param later changes that wait for a window or a prerequisite
 */
export function checkGuardrails(
  ready: readonly Change[],
  later: readonly Change[],
  input: PlanGuardrailInput,
): { readonly due: readonly Change[]; readonly trip: Trip | null } {
  const trip = tripped({ ...input, changes: [...ready, ...later] });
  if (trip?.reason !== 'minCoverage') return { due: ready, trip };
  const covered = ({ enrollment }: Change): boolean => isCovered(input.coverageByKind[enrollment], input.guardrails);
  const separable = later.every(covered);
  const due = ready.filter((change) => change.scope === 'organization' || (separable && covered(change)));
  if (due.length === 0) return { due: ready, trip };
  return { due, trip: tripped({ ...input, coverage: null, changes: separable ? [...due, ...later] : due }) };
}
