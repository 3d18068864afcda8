import { actorName } from '../../../../shared/domain/actor.ts';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { briefMessage } from '../../../../shared/domain/ledger/brief-message.ts';
import { entryActor } from '../entry-line.ts';
import type { Entry, Facet } from '../types.ts';
import { duration, reasonText, stateText, wordsOf } from '../words.ts';

/** Entries that record a command of an operator; all others record what Rollcall did or saw. */
const COMMANDS: ReadonlySet<Entry['type']> = new Set<Entry['type']>(['AccountSuspended', 'AccountResumed']);

/** The actor of an entry on the page of its account. There, all of Rollcall's own actions have the actor "Rollcall", whichever process made them. */
export function timelineActor(entry: Entry): ReturnType<typeof entryActor> {
  const { type, actor, detail } = entry;
  const isOwn = detail?.changedBy === undefined && type !== 'DriftDetected' && !COMMANDS.has(type);
  return isOwn ? { name: 'Rollcall', full: actor } : entryActor(entry);
}

const ARN = /arn:[\w-]+:[^\s,;]+/g;

/** A sentence with short names in place of ARNs; the details have the whole ones. */
const withNames = (text: string): string => briefMessage(text, 8).replace(ARN, (arn) => actorName(arn));

/** What happened, in one line. @param started when the drift that the entry resolves was detected, ISO 8601 */
export function entryLine(entry: Entry, started: string | null): string {
  const { enrollment, type, at, after, reason, detail } = entry;
  const about = enrollment === null ? '' : `${TITLES[enrollment]}: `;
  const message = detail?.message ?? (reason === null ? null : reasonText(reason));
  const told = message === null ? null : withNames(message);
  switch (type) {
    case 'DriftDetected':
      return `${about}${changeText(entry) ?? told ?? ''}`;
    case 'DriftResolved': {
      const took = started === null ? '' : ` after ${duration(Date.parse(at) - Date.parse(started))}`;
      return `${about}${after === null ? 'resolved' : stateOf(after)} observed${took}`;
    }
    case 'RemediationStarted':
      return `${about}${wantedText(after) ?? told ?? ''}`;
    case 'RemediationSucceeded':
      return `${about}${wordsOf('acted').short}`;
    case 'FlapDetected':
      return `${about}${told?.split(';')[0] ?? 'reverted repeatedly'}; remediation stopped`;
    case 'AccountJoined':
      return detail?.account === undefined ? 'First seen' : `First seen in ${detail.account.ou}`;
    default:
      return `${about}${told ?? (after === null ? '' : stateOf(after))}`;
  }
}

const stateOf = ({ status, ruleMode }: Facet): string => stateText(status, ruleMode);

/** `Active → Inactive`: what AWS reported before and reports now. */
function changeText({ before, after }: Entry): string | null {
  if (after === null) return null;
  if (before?.status !== undefined && before.status !== after.status)
    return `${before.status ?? '?'} → ${after.status ?? '?'}`;
  if (before !== null && before.ruleMode !== after.ruleMode)
    return `${before.ruleMode ?? '?'} → ${after.ruleMode ?? '?'}`;
  return wantedText(after) === null
    ? null
    : `${stateOf(after)}, not ${stateText(after.desired, after.desiredRuleMode)}`;
}

function wantedText(after: Facet | null): string | null {
  if (after === null) return null;
  const { status, desired, ruleMode, desiredRuleMode } = after;
  if (desired !== null && status !== desired) return `${status ?? '?'} → ${desired}`;
  return desiredRuleMode !== null && ruleMode !== desiredRuleMode ? `${ruleMode ?? '?'} → ${desiredRuleMode}` : null;
}

/** When the drift that an entry resolves was detected, among older entries; `null`: not among them. */
export function driftStart(entry: Entry, older: readonly Entry[]): string | null {
  if (entry.type !== 'DriftResolved') return null;
  return older.find(({ type, enrollment }) => type === 'DriftDetected' && enrollment === entry.enrollment)?.at ?? null;
}
