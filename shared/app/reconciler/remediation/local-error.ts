import { kindOf } from '../../../domain/enrollment/kinds/index.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import { CloudError } from '../../../ports/cloud.ts';

/** An error of a mutating call that this process itself detects, in the form of AWS's errors. */
export function localError(
  { accountId, action, enrollment }: Assessment,
  {
    ambiguous = false,
    ...error
  }: {
    readonly code: string;
    readonly kind: 'Invalid' | 'Prerequisite';
    readonly message: string;
    readonly ambiguous?: boolean;
  },
): CloudError {
  return new CloudError(error.message, {
    kind: error.kind,
    code: error.code,
    service: kindOf(enrollment).service,
    operation: action,
    accountId,
    requestId: null,
    ambiguous,
  });
}
