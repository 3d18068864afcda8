import { reasonText } from '../enrollment/reason-codes.ts';
import type { WebhookEvent } from '../policy/index.ts';
import { oneLine } from '../text.ts';
import type { LedgerEntry } from './entry.ts';
import { ENTRY_TYPES, type EntryType } from './entry-types.ts';

/** The entry types that raise an alert, with the event that selects them in the policy. */
const EVENT_OF: Partial<Record<EntryType, WebhookEvent>> = {
  DriftDetected: 'drift',
  RemediationFailed: 'failed',
  RemediationBlocked: 'blocked',
  FlapDetected: 'blocked',
  ConvergenceStalled: 'stalled',
  GuardrailTripped: 'guardrail',
  EnforcementHalted: 'halt',
  EnforcementResumed: 'halt',
  StoreRestored: 'halt',
};

/** Reasons of a delay that ends by itself, so nobody needs an alert. */
const ENDS_BY_ITSELF: ReadonlySet<string | null> = new Set(['window', 'coolDown', 'rollout']);

export function alertTypes(events: readonly WebhookEvent[]): readonly EntryType[] {
  return ENTRY_TYPES.filter((type) => {
    const event = EVENT_OF[type];
    return event !== undefined && events.includes(event);
  });
}

/** The webhook event of an entry; `null`: no alert, because the delay ends by itself or an account refused within a batch is retried alone first. */
export function alertOf(entry: LedgerEntry): WebhookEvent | null {
  const event = EVENT_OF[entry.type] ?? null;
  if (event === 'blocked' && ENDS_BY_ITSELF.has(entry.reason)) return null;
  if (event === 'failed' && entry.detail?.error?.kind === 'Batch') return null;
  return event;
}

/** Whether to send the event immediately instead of with the next digest. */
export function isUrgent(event: WebhookEvent): boolean {
  return event === 'halt' || event === 'guardrail';
}

/** How many entries of each event a digest shows; it only counts the others. */
const MAX_SHOWN = 5;
/** Characters per line, because an error's message may be long. */
const MAX_LINE = 300;
/** Characters of the whole text; Slack cuts at 40,000 [chat.postMessage]. */
const MAX_TEXT = 8_000;

const TITLES: Readonly<Record<WebhookEvent, readonly [string, string]>> = {
  drift: ['drift', 'drifts'],
  failed: ['failed change', 'failed changes'],
  blocked: ['needs attention', 'need attention'],
  stalled: ['stalled', 'stalled'],
  guardrail: ['guardrail tripped', 'guardrails tripped'],
  halt: ['enforcement', 'enforcement'],
};
const ORDER: readonly WebhookEvent[] = ['halt', 'guardrail', 'failed', 'stalled', 'blocked', 'drift'];

/**
 * One message about any number of entries, without URLs or secrets. Slack reads `text`; other receivers may read `rollcall`.
 * Slack's markup and mentions are escaped [Slack, "Escaping text"].
 */
export interface Digest {
  readonly text: string;
  readonly rollcall: {
    /** The same for every attempt to deliver this message, so that receivers can detect duplicates. */
    readonly delivery: string;
    readonly counts: Partial<Record<WebhookEvent, number>>;
    /** Ids of the entries that the text shows. */
    readonly entries: readonly string[];
    /** How many entries the message is about. */
    readonly total: number;
    /** The times of the first and the last of these entries, ISO 8601. */
    readonly since: string;
    readonly until: string;
  };
}

/** @param entries at least one, each with its event. @param organizationId `null`: not known yet. */
export function digestOf(delivery: string, organizationId: string | null, entries: readonly LedgerEntry[]): Digest {
  const groups = Map.groupBy(entries, (entry) => alertOf(entry) ?? 'drift');
  const named: string[] = [];
  const counts: Partial<Record<WebhookEvent, number>> = {};
  const parts: string[] = [];
  for (const event of ORDER) {
    const group = groups.get(event);
    if (group === undefined) continue;
    counts[event] = group.length;
    const shown = group.slice(0, MAX_SHOWN);
    named.push(...shown.map(({ id }) => id));
    const rest = group.length - shown.length;
    const lines = shown.map((entry) => `• ${lineOf(entry)}`);
    parts.push([heading(event, group), ...lines, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n'));
  }
  const times = entries.map(({ at }) => at).sort();
  const title = `Rollcall${organizationId === null ? '' : ` ${organizationId}`}: ${summary(counts)}`;
  return {
    text: shorten([title, ...parts].join('\n'), MAX_TEXT),
    rollcall: {
      delivery,
      counts,
      entries: named,
      total: entries.length,
      since: times[0] ?? '',
      until: times.at(-1) ?? '',
    },
  };
}

function summary(counts: Partial<Record<WebhookEvent, number>>): string {
  return ORDER.flatMap((event) => {
    const n = counts[event];
    return n === undefined ? [] : [`${n} ${TITLES[event][n === 1 ? 0 : 1]}`];
  }).join(', ');
}

function heading(event: WebhookEvent, group: readonly LedgerEntry[]): string {
  const accounts = new Set(group.flatMap(({ accountId }) => (accountId === null ? [] : [accountId]))).size;
  const where = accounts === 0 ? '' : ` in ${accounts} ${accounts === 1 ? 'account' : 'accounts'}`;
  return `*${group.length} ${TITLES[event][group.length === 1 ? 0 : 1]}${where}*`;
}

function lineOf(entry: LedgerEntry): string {
  const { type, accountId, enrollment, after, reason, detail, actor } = entry;
  if (type === 'EnforcementHalted' || type === 'EnforcementResumed') {
    const what = type === 'EnforcementHalted' ? 'halted' : 'resumed';
    return escaped(`enforcement ${what} by ${actor}${why(reason, detail?.message)}`);
  }
  if (type === 'StoreRestored') return escaped(`store restored by ${actor}${why(reason, detail?.message)}`);
  const subject = [accountId, enrollment].filter((part) => part !== null).join(' ');
  const change = after === null ? '' : `: ${after.status ?? 'unknown'}, desired ${after.desired ?? 'unmanaged'}`;
  const by = detail?.changedBy === undefined ? '' : `; changed by ${detail.changedBy.actor}`;
  return escaped(`${subject}${change}${why(reason, detail?.message)}${by}`);
}

function why(reason: string | null, message: string | undefined): string {
  const parts = [reasonText(reason), message].filter((part) => part !== null && part !== undefined && part !== '');
  return parts.length === 0 ? '' : ` (${parts.join(': ')})`;
}

function escaped(line: string): string {
  const flat = shorten(oneLine(line).replace(/\s+/g, ' '), MAX_LINE);
  return flat.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
