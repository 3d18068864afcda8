import type * as z from 'zod';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { byKind, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import { shownOf } from '../../domain/enrollment/status.ts';
import type { statusWordsSchema } from './answers/common.ts';

/** `complianceStatus` is the status that people see; `status` already stands for the enrollment status that AWS reports. */
export type StatusWords = z.infer<typeof statusWordsSchema>;

export function statusWords(
  conditionOf: (id: EnrollmentId) => Condition | null,
): Readonly<Record<EnrollmentId, StatusWords | null>> {
  const shown = shownOf(conditionOf);
  return byKind((id) => {
    const words = shown[id];
    return words === null ? null : { complianceStatus: words.status, message: words.message };
  });
}
