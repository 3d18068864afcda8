import { actorName } from '../../../shared/domain/actor.ts';
import { shortReason } from '../../../shared/domain/enrollment/explain-status.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { statusOf } from '../../../shared/domain/enrollment/status.ts';
import { briefMessage } from '../../../shared/domain/ledger/brief-message.ts';
import { type Look, looksOf } from './status-looks.ts';
import type { Entry, Facet } from './types.ts';
import { count, reasonText, stateText } from './words.ts';

/* An entry of the audit log in one line: its look, what changed, and who did it. */

const BAD: Look = { mark: 'attention', tone: 'attention' };
const GOOD: Look = { mark: 'compliant', tone: 'compliant' };
const UNDER_WAY: Look = { mark: 'progress', tone: 'progress' };
const PLAIN: Look = { mark: 'na', tone: 'quiet' };

const LOOKS: Readonly<Partial<Record<Entry['type'], Look>>> = {
  DriftDetected: { mark: 'drifted', tone: 'drifted' },
  DriftResolved: GOOD,
  RemediationStarted: UNDER_WAY,
  RemediationSucceeded: UNDER_WAY,
  RemediationFailed: BAD,
  ConvergenceStalled: BAD,
  FlapDetected: BAD,
  GuardrailTripped: BAD,
  EnforcementHalted: BAD,
  EnforcementResumed: GOOD,
  AccountSuspended: { mark: 'suspended', tone: 'quiet' },
  AccountResumed: UNDER_WAY,
  ExemptionExpiring: { mark: 'exempt', tone: 'quiet' },
  ExemptionExpired: { mark: 'exempt', tone: 'quiet' },
};

/** The mark and tone of an entry, the same on every page. Entries without a look of their own have that of the status that they lead to. */
export function entryLook({ type, after }: Pick<Entry, 'type' | 'after'>): Look {
  const own = LOOKS[type];
  if (own !== undefined) return own;
  if (after !== null) return looksOf(statusOf(after));
  return type === 'RemediationBlocked' ? BAD : PLAIN;
}

/** What an account had and has, in as few words as possible: `Automation Active → Inactive`. */
export function whatChanged(entry: Entry): string {
  const { enrollment, before, after, reason, detail, type } = entry;
  if (type === 'ScanStarted') return entry.policyHash === null ? '' : `Policy ${entry.policyHash.slice(0, 8)}`;
  if (type === 'ScanCompleted') return coverageOf(detail?.summary) ?? detail?.message ?? '';
  if (detail?.digest !== undefined) return digestText(detail.digest);
  if (detail?.treeHead !== undefined) return checkpointText(detail.treeHead);
  if (enrollment === null) return briefMessage(detail?.message ?? reasonText(reason), 8);
  const title = TITLES[enrollment];
  if (type === 'RemediationStarted') return `${title} → ${desiredOf(after)}`;
  const why = reason ?? after?.reason ?? null;
  const status = after === null ? null : statusOf(after);
  const says = status === 'Needs attention' || status === 'Waiting' || type === 'RemediationSucceeded';
  if (why !== null && status !== null && says) return `${title}: ${shortReason({ enrollment, status, reason: why })}`;
  if (type === 'DriftResolved') return `${title} ${observedOf(after)}`;
  const [was, is] = [observedOf(before), observedOf(after)];
  if (was !== is && was !== '–' && is !== '–') return `${title} ${shortened(was, is)}`;
  return `${title} ${is}`;
}

/** Without the command of the message, which would need the whole hash. The whole entry has both. */
function digestText({ entries, chains, root }: NonNullable<NonNullable<Entry['detail']>['digest']>): string {
  return `${count(entries, 'entry', 'entries')} in ${count(chains, 'chain')}, digest ${root.slice(0, 8)}`;
}

/** The second line of a checkpoint is the number of entries that it covers. */
function checkpointText({ note, witnesses }: NonNullable<NonNullable<Entry['detail']>['treeHead']>): string {
  const covered = `Covers the first ${count(Number(note.split('\n')[1]), 'entry', 'entries')}`;
  return witnesses.length === 0 ? covered : `${covered}, cosigned by ${witnesses.join(', ')}`;
}

const observedOf = (facet: Facet | null): string => (facet === null ? '–' : stateText(facet.status, facet.ruleMode));
const desiredOf = (facet: Facet | null): string =>
  facet === null ? '–' : stateText(facet.desired, facet.desiredRuleMode);

/** The part that differs: `Active → Inactive`, or else `AnyAllowed → NoneAllowed`. */
function shortened(was: string, is: string): string {
  const [old, now] = [was.split(' / '), is.split(' / ')];
  const differing = old[0] === now[0] ? 1 : 0;
  return `${old[differing] ?? was} → ${now[differing] ?? is}`;
}

function coverageOf(summary: Readonly<Record<string, unknown>> | undefined): string | null {
  const coverage: unknown = summary?.['coverage'];
  if (typeof coverage !== 'object' || coverage === null) return null;
  if (!('evaluated' in coverage) || !('unknown' in coverage)) return null;
  const { evaluated, unknown } = coverage;
  if (typeof evaluated !== 'number' || typeof unknown !== 'number') return null;
  return `Status known for ${evaluated} of ${evaluated + unknown}`;
}

interface EntryActor {
  readonly name: string;
  /** For hover. */
  readonly full: string;
}

/** Who caused what the entry records: of a drift, the caller that CloudTrail names. */
export function entryActor({ type, detail, actor }: Pick<Entry, 'type' | 'detail' | 'actor'>): EntryActor {
  const caller = detail?.changedBy?.actor;
  if (caller === undefined && type === 'DriftDetected')
    return { name: 'Unknown', full: `No CloudTrail event names the actor; recorded by ${actor}` };
  const full = caller ?? actor;
  const name = actorName(full);
  return { full, name: name === 'rollcall' ? 'Rollcall' : name };
}
