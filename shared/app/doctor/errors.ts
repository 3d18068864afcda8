import { type CheckReason, type CheckResult, fail } from '../../domain/check-result.ts';
import { CloudError } from '../../ports/cloud.ts';

/** Turns an error into a check result. Stores translate their own errors. */
export function resultOfError(error: unknown): CheckResult {
  if (error instanceof CloudError) {
    const reason = reasonOf(error);
    if (reason !== 'unavailable') return fail(reason, error.message);
    return fail(reason, `${error.message} AWS cannot answer now; try again in a minute:`, ['rollcall doctor']);
  }
  return fail('wrong', error instanceof Error ? error.message : String(error));
}

/** Derives the reason from the kind of the error, never from its message. */
export function reasonOf({ kind, details }: CloudError): CheckReason {
  switch (kind) {
    case 'Transient':
      // Every AWS response has a request id.
      return details.requestId === null ? 'unreachable' : 'unavailable';
    case 'Throttled':
      return 'unavailable';
    case 'Denied':
      return 'denied';
    case 'Unauthenticated':
      return 'unauthenticated';
    case 'Prerequisite':
      return 'missing';
    case 'CoolingDown':
    case 'Governed':
    case 'Conflict':
    case 'Invalid':
      return details.code === 'RegionMissing' ? 'missing' : 'wrong';
  }
}

export function isDenied(error: unknown): error is CloudError {
  return error instanceof CloudError && error.kind === 'Denied';
}
