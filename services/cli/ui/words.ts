import { type PlanTotals, totalChanges } from '../../../shared/domain/decision/plan-totals.ts';
import { PREREQUISITE_TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { oneLine } from '../../../shared/domain/text.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

export function number(n: number): string {
  // Loading the locale data takes 3% of a short command.
  if (Number.isInteger(n) && n >= 0 && n < 1_000) return String(n);
  return n.toLocaleString('en-US');
}

/**
 * A share as a percentage, rounded down, so that 100% means all: `95%`, or with one decimal `97.3%`. `–` if the whole is zero.
 */
export function percent(part: number, whole: number, decimals: 0 | 1 = 0): string {
  if (whole === 0) return '–';
  const scale = 10 ** decimals;
  const rounded = Math.floor((part * 100 * scale) / whole) / scale;
  return `${rounded === 0 || rounded === 100 ? rounded : rounded.toFixed(decimals)}%`;
}

/** How long something took: `850ms`, `2.1s`, `47s`, `1m 5s`, `3h 20m`, `2d 4h`. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)}ms`;
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return pair(ms, MINUTE, 'm', SECOND, 's');
  return age(ms);
}

/** How old something is, or how long until it happens: `30s`, `4m`, `9h 4m`, `2d 4h`. */
export function age(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  return ms < DAY ? pair(ms, HOUR, 'h', MINUTE, 'm') : pair(ms, DAY, 'd', HOUR, 'h');
}

function pair(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)}${largeUnit}${rest === 0 ? '' : ` ${rest}${smallUnit}`}`;
}

/** A time in UTC to the minute: `2026-12-09 06:12 UTC`. Documents (json, csv) keep ISO 8601. */
export function instant(iso: string): string {
  return `${minute(iso)} UTC`;
}

/** Like {@link instant} for a column whose title names the time zone: `2026-12-09 06:12`. */
export function minute(iso: string): string {
  return new Date(iso).toISOString().slice(0, 16).replace('T', ' ');
}

/** Like {@link minute} with seconds: `2026-12-09 06:12:07`. */
export function second(iso: string): string {
  return new Date(iso).toISOString().slice(0, 19).replace('T', ' ');
}

/** A future time and how far away it is: `2026-12-09 06:12 UTC (in 20h 42m)`. */
export function upcoming(iso: string, now: number): string {
  const left = Date.parse(iso) - now;
  return left < 0 ? instant(iso) : `${instant(iso)} (in ${age(left)})`;
}

/** The end of a period: `2026-12-09 06:12 UTC`; at midnight `the end of 2026-12-08 UTC`, because days end at 24:00. */
export function endText(iso: string): string {
  const ms = Date.parse(iso);
  if (ms % DAY !== 0) return instant(iso);
  return `the end of ${new Date(ms - DAY).toISOString().slice(0, 10)} UTC`;
}

export function ago(iso: string, now: number): string {
  const ms = now - Date.parse(iso);
  return ms >= 0 ? `${age(ms)} ago` : `in ${age(-ms)}`;
}

const SHORT_ID = 8;
export const SHORT_HASH = 12;

/** The last 8 characters of the id of an entry or a dead letter: they differ most. Commands accept them. */
export function shortId(id: string): string {
  return id.slice(-SHORT_ID);
}

/** The first 12 digits of the hash of a plan or a policy. */
export function shortHash(hash: string): string {
  return hash.slice(0, SHORT_HASH);
}

/** The resource of an identity's ARN, without the path of the identity. */
const IDENTITY = /^arn:[a-z0-9-]+:(?:iam|sts)::\d{12}:(user|role|assumed-role|federated-user|root)(?:\/(.+))?$/;
/** Prefixes of actors that are not identities of AWS. */
const OTHER_ACTOR = /^(user|token):(.+)$/;

/**
 * An actor of the audit log for people: `user/ops`, `role/NAME/SESSION`, `token/NAME`. Users of AWS and of the operating system look alike;
 * documents and `audit show` have the full name.
 */
export function actorText(actor: string): string {
  const [, kind, rest = ''] = IDENTITY.exec(actor) ?? [];
  if (kind === 'assumed-role') return oneLine(`role/${rest}`);
  if (kind === 'root') return 'root';
  if (kind !== undefined) return oneLine(`${kind}/${rest.split('/').at(-1)}`);
  return oneLine(actor.replace(OTHER_ACTOR, '$1/$2'));
}

const ARN = /\barn:[^\s,;]+[^\s,;.]/g;

/** A sentence with the short names of the actors in it. */
export const withShortNames = (text: string): string => text.replace(ARN, actorText);

/** `202 now, 88 after Compute Optimizer`; `null` if there are no follow-ups, so that the total is enough. */
export function partsText({ now, followUps }: Pick<PlanTotals, 'now' | 'followUps'>): string | null {
  if (followUps === 0) return null;
  return `${number(now)} now, ${number(followUps)} after ${PREREQUISITE_TITLES}`;
}

/** `290 changes: 202 now, 88 after Compute Optimizer`. The dashboard shows the same text. */
export function changesText(totals: Pick<PlanTotals, 'now' | 'followUps'>): string {
  const parts = partsText(totals);
  return `${count(totalChanges(totals), 'change')}${parts === null ? '' : `: ${parts}`}`;
}

/**
 * `107 changes to 72 accounts: 72 now, 35 after Compute Optimizer; 0 opt-outs`. Plans, prompts and summaries show these numbers in these words.
 * @param accounts the number of accounts that the changes are in
 */
export function planCounts(totals: Pick<PlanTotals, 'now' | 'followUps' | 'optOuts'>, accounts: number): string {
  const parts = partsText(totals);
  const changes = `${count(totalChanges(totals), 'change')} to ${count(accounts, 'account')}`;
  return `${changes}${parts === null ? '' : `: ${parts}`}; ${count(totals.optOuts, 'opt-out')}`;
}

/** A status, followed by the rule mode if it is known. */
export function stateText(status: string | null, ruleMode: string | null): string {
  return [status ?? (ruleMode === null ? '?' : ''), ruleMode].filter((part) => part !== null && part !== '').join('/');
}
