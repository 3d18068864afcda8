import type { EpochMs } from '../../domain/enrollment/model.ts';
import { toIso } from '../../domain/time.ts';

/** Who started a process, and when. */
export interface ProcessOwner {
  readonly actor: string;
  readonly since: EpochMs;
}

/** The owner of a lease that shows a running process: the start time (ISO 8601), a space, and the actor. */
export function ownerText({ actor, since }: ProcessOwner): string {
  return `${toIso(since)} ${actor}`;
}

/** Reads {@link ownerText}. */
export function readOwner(text: string): ProcessOwner {
  const [since = '', ...actor] = text.split(' ');
  return { actor: actor.join(' '), since: Date.parse(since) };
}
