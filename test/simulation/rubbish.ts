import type { DeadLetter } from '../../shared/ports/queue.ts';

/** Unreadable messages: foreign ones, other versions, wrong shapes. */
export const BODIES = [
  '',
  'not JSON',
  '{"v":2}',
  '{"v":1,"kind":"account"}',
  '[]',
  '{"v":1,"kind":"batch","accountIds":{}}',
] as const;

const RUBBISH: ReadonlySet<string> = new Set(BODIES);

/** What is wrong with the dead letters after `put` unreadable messages, each with the invariant that it breaks. */
export function* misread(
  put: number,
  dead: readonly DeadLetter[],
): Generator<readonly [invariant: number, what: string]> {
  if (dead.length < put) yield [5, `${put} messages were unreadable, and ${dead.length} are dead letters`];
  const unread = dead.filter(({ reason, body }) => reason.code === 'UnreadableMessage' && !RUBBISH.has(body));
  for (const { body, reason } of unread) yield [1, `a worker could not read ${body}: ${reason.message}`];
}
