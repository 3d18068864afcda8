import type { ExplanationView } from '../../../shared/app/queries/explanation.ts';
import { FIELDS } from '../../../shared/domain/policy/types.ts';
import type { Style } from './output.ts';
import { oneLine } from './table.ts';

/** The desired state of an account, and how each rule contributed to it. */
export function explanationText({ desired, rules, canary }: ExplanationView, style: Style): string[] {
  const fields = FIELDS.map((field) => `  ${`${field}:`.padEnd(19)} ${desired[field].value} (${desired[field].rule})`);
  const contradiction =
    desired.contradiction === null ? [] : [style('red', `  Contradiction: ${desired.contradiction.message}`)];
  return [
    'Desired by the policy:',
    ...fields,
    ...contradiction,
    ...(canary ? ['  The account is a canary.'] : []),
    'Rules, top to bottom:',
    ...rules.flatMap((rule) => ruleText(rule, style)),
  ];
}

function ruleText(rule: ExplanationView['rules'][number], style: Style): string[] {
  const mark = rule.matched ? style('green', '✓ matches') : '✗ does not match';
  const decided = rule.decided.length === 0 ? '' : `, decides ${rule.decided.join(', ')}`;
  const overruled = rule.overruled.map(({ field, by }) => `${field} is decided by ${by}`).join(', ');
  return [
    `  ${rule.id}: ${mark}${decided}${overruled === '' ? '' : `; ${overruled}`}`,
    ...rule.conditions.map(
      ({ condition, holds, why }) => `    ${holds ? '✓' : '✗'} ${oneLine(condition)}: ${oneLine(why)}`,
    ),
  ];
}
