import { actorName } from '../../../shared/domain/actor.ts';
import { exactText, timeText, zoneName } from './time-text.ts';
import type { Suspension } from './types.ts';

/** Names the suspension that a new one has replaced, with a leading space: ` It replaces a suspension …`; empty: none. @param now epoch ms */
export function replacedText(replaced: Suspension['replaced'], now: number): string {
  if (replaced === null) return '';
  const { reason, until, at, by } = replaced;
  const end = until === null ? 'without an end' : `until ${exactText(Date.parse(until))}`;
  const because = reason === null ? '' : `: "${reason}"`;
  const set = `${timeText(Date.parse(at), now)} ${zoneName()}`;
  return ` It replaces a suspension ${end} (set ${set} by ${actorName(by)}${because}).`;
}
