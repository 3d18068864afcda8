import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { WorkMessage } from '../../../shared/domain/work-message.ts';
import type { DeadLetter } from '../../../shared/ports/queue.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';
import { age, count, number, shortId } from './words.ts';
import { wrap } from './wrap.ts';

/** By the id of the dead letter. */
export type LetterFacts = ReadonlyMap<string, { readonly name: string; readonly attempts: number | null }>;

/** Work that was given up, latest first, and how to retry it. */
export function deadLettersText(
  letters: readonly DeadLetter[],
  facts: LetterFacts,
  { width }: Pick<Output, 'width'>,
  now: number,
): string[] {
  const [first] = letters;
  if (first === undefined) return ['There are no dead letters.'];
  const columns = [
    { title: 'ID' },
    { title: 'ACCOUNT' },
    { title: 'NAME', shrinks: true, dropOrder: 2 },
    { title: 'ENROLLMENT' },
    { title: 'ATTEMPTS', align: 'right' as const, dropOrder: 1 },
    { title: 'AGE', align: 'right' as const },
    { title: 'LAST ERROR', wraps: true },
  ];
  const rows = letters.map(({ id, at, message, reason }) => {
    const { name = '', attempts = null } = facts.get(id) ?? {};
    const tried = attempts === null ? '' : number(attempts);
    return [shortId(id), ...subjectOf(message, name), tried, age(now - at), reason.message];
  });
  const retry =
    letters.length === 1 ? `rollcall dlq redrive ${shortId(first.id)}` : 'rollcall dlq redrive ID, or --all';
  return [
    ...table(columns, rows, width),
    ...wrap(`${count(letters.length, 'dead letter')}. After fixing the cause: ${retry}`, width),
  ];
}

/** Account, name and enrollment. */
function subjectOf(message: WorkMessage | null, name: string): readonly [string, string, string] {
  if (message === null) return ['unreadable', '', ''];
  if (message.kind === 'account') return [message.accountId, name, TITLES[message.enrollment]];
  if (message.kind === 'batch') return [count(message.accountIds.length, 'account'), '', message.operation];
  return ['all', '', 'organization-wide call'];
}
