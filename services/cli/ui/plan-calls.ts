import type { PlannedCall } from '../../../shared/domain/decision/plan.ts';
import { batchSizeOf, TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { count, number } from './words.ts';

/** The mutating AWS calls of a plan, one line for each operation, for `--verbose`. */
export function callLines(calls: readonly PlannedCall[]): string[] {
  return calls.map(
    (call) => `${call.operation} (${TITLES[call.enrollment]}): ${count(call.calls, 'call')} ${scopeText(call)}`,
  );
}

function scopeText({ scope, accounts, enrollment, operation }: PlannedCall): string {
  switch (scope) {
    case 'organization':
      return `for the whole organization; ${count(accounts, 'account')} not yet Active`;
    case 'batch':
      return `for ${count(accounts, 'account')}, up to ${number(batchSizeOf(enrollment, operation))} in a call`;
    case 'configuration':
      return `for ${count(accounts, 'account')}`;
    case 'own':
      return "for the caller's own account";
    case 'member':
      return 'in member accounts, one for each';
  }
}
