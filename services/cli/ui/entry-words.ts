import type * as z from 'zod';
import type { ledgerEntry } from '../../../shared/app/queries/answers/common.ts';
import { shortReason } from '../../../shared/domain/enrollment/explain-status.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { statusOf } from '../../../shared/domain/enrollment/status.ts';
import { briefMessage } from '../../../shared/domain/ledger/brief-message.ts';
import { entryTitle } from '../../../shared/domain/ledger/entry-titles.ts';
import type { EntryType } from '../../../shared/domain/ledger/entry-types.ts';
import { oneLine } from './table.ts';
import { actorText, count, SHORT_HASH, shortHash, withShortNames } from './words.ts';

export type Entry = z.infer<typeof ledgerEntry>;

/** Types that record a change of the enrollment in AWS, or of its status. */
const CHANGES: ReadonlySet<EntryType> = new Set<EntryType>([
  ...(['DriftDetected', 'DriftResolved', 'RemediationStarted', 'VerdictChanged'] as const),
]);

/** The policy field `organizationRules`, in words. */
const RULES = 'organization rules';

/** What changed: `Active → Inactive`. For entries without a change, why, or what it is about; may be empty. */
export function changeText(entry: Entry): string {
  const { type, after, detail, enrollment, reason } = entry;
  const change = CHANGES.has(type) ? stateChange(entry) : null;
  if (change !== null) return change;
  if (type === 'FlapDetected') return '';
  if (detail?.digest !== undefined) return digestText(detail.digest);
  if (type === 'ConfigurationStarted' || type === 'ConfigurationEnded') return configurationText(entry);
  if (detail?.error !== undefined) return inList(detail.error.message);
  if (enrollment !== null && after !== null && reason !== null)
    return shortReason({ enrollment, reason, status: statusOf(after) });
  return inList(detail?.message ?? '');
}

/** Without the command of the message, which would need the whole hash; `audit show` has both. */
function digestText({ entries, chains, root }: NonNullable<NonNullable<Entry['detail']>['digest']>): string {
  return `${count(entries, 'entry', 'entries')} in ${count(chains, 'chain')}, digest ${shortHash(root)}`;
}

/** `/Sandbox: AnyAllowed`, and for the end of the call its result. */
function configurationText({ type, detail }: Entry): string {
  const { configuration, message } = detail ?? {};
  const call = configuration === undefined ? '' : `${configuration.target}: ${configuration.ruleMode ?? 'delete'}`;
  if (message !== undefined) return inList([call, message].filter((part) => part !== '').join(': '));
  return call === '' || type === 'ConfigurationStarted' ? call : `${call}, accepted by AWS`;
}

/** A sentence in a list; `audit show` and documents have it in full. */
function inList(text: string): string {
  return withShortNames(oneLine(briefMessage(text, SHORT_HASH)));
}

function stateChange({ type, before, after }: Entry): string | null {
  if (after === null) return null;
  if (before !== null && before.status !== after.status) return arrow(before.status, after.status);
  if (before !== null && before.ruleMode !== after.ruleMode)
    return `${RULES} ${arrow(before.ruleMode, after.ruleMode)}`;
  // The account did not change: the policy did, or it is the first scan.
  if (type === 'DriftDetected')
    return after.desired === after.status || after.desired === null
      ? `${RULES} ${after.ruleMode ?? '–'}, policy: ${after.desiredRuleMode ?? '–'}`
      : `${after.status ?? '–'}, policy: ${after.desired}`;
  const [was, is] = [before === null ? null : statusOf(before), statusOf(after)];
  return was === null || was === is ? null : arrow(was, is);
}

function arrow(was: string | null, is: string | null): string {
  return `${was ?? '–'} → ${is ?? '–'}`;
}

/**
 * The actor behind the entry: of a drift, the actor that changed the account; `null`: unknown.
 * @param nameOf how the list names an actor
 */
export function actorOf({ type, actor, detail }: Entry, nameOf: (actor: string) => string = actorText): string | null {
  if (type === 'DriftDetected') return detail?.changedBy === undefined ? null : nameOf(detail.changedBy.actor);
  return nameOf(actor);
}

/** Names the writer of the entry, for drift whose actor is unknown. */
export const seenBy = ({ actor }: Entry, nameOf: (actor: string) => string = actorText): string =>
  `seen by ${nameOf(actor)}`;

/** The entry in one line: `Drift detected: Compute Optimizer Active → Inactive`. */
export function eventText(entry: Entry): string {
  const { enrollment, type } = entry;
  const change = changeText(entry);
  const joiner = CHANGES.has(type) ? ' ' : ', ';
  const about = enrollment === null ? change : [TITLES[enrollment], change].filter((part) => part !== '').join(joiner);
  return about === '' ? entryTitle(type) : `${entryTitle(type)}: ${about}`;
}
