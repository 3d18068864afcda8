import { STATUS_MEANINGS } from '../../shared/domain/enrollment/explain-status.ts';
import { REASON_WORDS, type ReasonWords } from '../../shared/domain/enrollment/reason-codes.ts';
import { STATUSES, statusOfVerdict } from '../../shared/domain/enrollment/status.ts';
import { VERDICTS } from '../../shared/domain/enrollment/verdict.ts';
import { code, page, table, withCommands } from './markdown.ts';

/** Every status and every reason, with what to do. */
export function statusesPage(): string {
  return page('Statuses and reasons', 'shared/domain/enrollment', [
    'Every account has one status for each enrollment kind. `rollcall status` counts them, `rollcall accounts` lists them, and `rollcall account ID` says',
    'what to do for one account. [Drift](../explanation/drift.md) explains how they follow from each other.',
    '',
    '## Statuses',
    '',
    'Worst first.',
    '',
    ...table(
      ['status', 'meaning', 'what to do'],
      STATUSES.map((status) => [`**${status}**`, ...meaningOf(status)]),
    ),
    '## Verdicts',
    '',
    'JSON and CSV also have the `verdict`, the internal name. It decides the status, `Blocked` and `Drifted` together with the reason.',
    '',
    ...table(
      ['verdict', 'status'],
      VERDICTS.map((verdict) => [code(verdict), statusOfVerdict(verdict) ?? 'Drifted, Waiting or Needs attention']),
    ),
    '## Reasons',
    '',
    'The reason says why an account has its status. `ID` stands for the account id. The code in parentheses appears in JSON, CSV and audit log entries.',
    '',
    ...Object.entries(REASON_WORDS).flatMap(([name, words]) => reason(name, words)),
  ]);
}

function meaningOf(status: (typeof STATUSES)[number]): [string, string] {
  const { meaning, todo } = STATUS_MEANINGS[status];
  return [meaning, withCommands(todo)];
}

function reason(name: string, { text, cause, todo, steps = [] }: ReasonWords): string[] {
  const title = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return [
    `### ${title} (${code(name)})`,
    '',
    ...(cause === undefined ? [] : [cause, '']),
    withCommands(todo),
    '',
    ...steps.map(({ what, effect }) => `- ${withCommands(what)}${effect === undefined ? '' : `: ${effect}`}`),
    ...(steps.length === 0 ? [] : ['']),
  ];
}
