import type { Progress } from '../../../shared/app/context.ts';
import { count } from './words.ts';

export type Waiting = Extract<Progress, { kind: 'waiting' }>;

/** Whether a run waits for another process, which may have been killed. */
export const isForOthers = ({ cause: { kind } }: Waiting): boolean => kind === 'otherProcess' || kind === 'claim';

/** What a run waits for, and until when. */
export function waitText({ until, cause }: Waiting): string {
  const time = `${clockTime(until)} UTC`;
  switch (cause.kind) {
    case 'otherProcess':
      return `waiting for another process, which has taken ${count(cause.messages, 'piece')} of work (until ${time} at the latest)`;
    case 'claim':
      return `waiting for a change of ${cause.accountId} that another process has begun (until ${time} if that process has died)`;
    case 'confirmation':
      return `waiting for AWS to report the changes (next check: ${time})`;
    case 'configuration':
      return `${applyingText(cause.target)} (next check: ${time})`;
    case 'rollout':
      return `waiting for the canaries (until ${time})`;
    case 'delay':
      return `waiting until the next change is due (${time})`;
  }
}

/** The text of {@link waitText} in short, for the second line of the display. */
export function shortWaitText({ until, cause }: Waiting): string {
  const { kind } = cause;
  const time = `until ${clockTime(until)} UTC`;
  if (kind === 'configuration') return applyingText(cause.target);
  if (kind === 'otherProcess' || kind === 'claim') return `waiting for another process ${time}`;
  if (kind === 'confirmation') return `waiting for AWS ${time}`;
  return kind === 'rollout' ? `waiting for the canaries ${time}` : `waiting ${time}`;
}

const applyingText = (target: string): string => `waiting for AWS to apply the configuration of ${target}`;

/** `09:41:05`. */
export function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
