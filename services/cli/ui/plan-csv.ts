import type { Plan } from '../../../shared/app/plan/plan.ts';
import { csvRow } from '../../../shared/domain/csv.ts';
import { type Change, intendedAction } from '../../../shared/domain/decision/plan.ts';
import { stateText } from './words.ts';

const COLUMNS = [
  ...['accountId', 'accountName', 'ou', 'enrollment', 'status', 'observed', 'desired'],
  ...['rule', 'reason', 'action', 'when', 'notBefore'],
];

/**
 * One line for each drift. `when` is `now` or `followUp` for changes that the run makes, and empty for the others. Times are ISO 8601, reasons
 * and actions are codes.
 */
export function planCsv({ changes, due, followUps }: Pick<Plan, 'changes' | 'due' | 'followUps'>): string[] {
  const when = new Map([...due.map((each) => [keyOf(each), 'now'] as const), ...followUps.map(followUp)]);
  const lines = changes.map((change) => [
    ...[change.accountId, change.accountName, change.ou, change.enrollment, change.status],
    ...[observedIn(change), stateText(change.desired, change.desiredRuleMode)],
    ...[change.rule, change.reason, intendedAction(change), when.get(keyOf(change)) ?? '', change.notBefore],
  ]);
  return [COLUMNS, ...lines].map(csvRow);
}

const keyOf = ({ accountId, enrollment }: Change): string => `${accountId} ${enrollment}`;
const followUp = (change: Change) => [keyOf(change), 'followUp'] as const;

/** The rule mode is part of the state only where the policy sets it. */
function observedIn({ observed, observedRuleMode, desiredRuleMode }: Change): string {
  return stateText(observed, desiredRuleMode === null ? null : observedRuleMode);
}
