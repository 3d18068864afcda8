import { type CheckReason, type CheckResult, fail } from '../../domain/doctor-checks.ts';
import { CloudError } from '../../ports/cloud.ts';

/** What a question that could not be answered means. Stores translate their own errors. */
export function resultOfError(error: unknown): CheckResult {
  if (error instanceof CloudError) {
    const reason = reasonOf(error);
    if (reason !== 'unavailable') return fail(reason, error.message);
    // It passes by itself, and nothing but another look tells that it has.
    return fail(reason, `${error.message} AWS cannot answer now; look again in a minute:`, ['rollcall doctor']);
  }
  return fail('wrong', error instanceof Error ? error.message : String(error));
}

/** Cannot be reached, may not be asked, or is not there: by the kind of the error, never by its words. */
export function reasonOf({ kind, details: facts }: CloudError): CheckReason {
  switch (kind) {
    case 'Transient':
      // Without a request id nobody of AWS has answered.
      return facts.requestId === null ? 'unreachable' : 'unavailable';
    case 'Throttled':
      return 'unavailable';
    case 'Denied':
      return 'denied';
    case 'Unauthenticated':
      return 'unauthenticated';
    case 'Prerequisite':
      return 'missing';
    case 'CoolingDown':
    case 'Conflict':
    case 'Invalid':
      return facts.code === 'RegionMissing' ? 'missing' : 'wrong';
  }
}

export function isDenied(error: unknown): error is CloudError {
  return error instanceof CloudError && error.kind === 'Denied';
}
