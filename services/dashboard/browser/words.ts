import { PREREQUISITE_TITLES, TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { reasonText as sentenceOf } from '../../../shared/domain/enrollment/reason-codes.ts';

/* Numbers, times and codes as text for people, in the reader's language and time zone. */

const numbers = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const briefTimes = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

export const number = (n: number): string => numbers.format(n);

export const count = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`;

export const percent = (n: number | null): string => (n === null ? '–' : `${numbers.format(Math.floor(n * 10) / 10)}%`);

export const local = (iso: string, brief = false): string => (brief ? briefTimes : times).format(new Date(iso));

/** A time in UTC to the second, for tooltips. */
export const utc = (iso: string): string => `${iso.replace('T', ' ').replace(/(\.\d+)?Z$/, '')} UTC`;

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

export function ago(iso: string, now: number): string {
  const ms = Date.parse(iso) - now;
  const [unit, size] = STEPS.find(([, size]) => Math.abs(ms) >= size) ?? ['second', 1_000];
  return relative.format(Math.round(ms / size), unit);
}

/** A duration for people: `850 ms`, `12.3 s`, `4 min`, `3.2 h`, `2.1 d`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${number(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${number(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${number(ms / 3_600_000)} h`;
  return `${number(ms / 86_400_000)} d`;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The fields that a rule of the policy can set. */
export const FIELD_WORDS = {
  ...TITLES,
  organizationRules: 'Organization rules',
  mode: 'Mode',
} as const;

/** `290 changes: 202 now, 88 after Compute Optimizer`, worded as in the CLI. */
export function changesText({ now, followUps }: { readonly now: number; readonly followUps: number }): string {
  const total = count(now + followUps, 'change');
  return followUps === 0 ? total : `${total}: ${number(now)} now, ${number(followUps)} after ${PREREQUISITE_TITLES}`;
}

type ChangeCounts = Readonly<Record<'total' | 'confirmed' | 'failed' | 'blocked' | 'inProgress', number>> &
  Readonly<Partial<Record<'notStarted' | 'notNeeded' | 'unplanned', number>>>;

/** `285 of 290 confirmed, 3 failed, 2 not started`. */
export function progressText(counts: ChangeCounts): string {
  const { total, confirmed, failed, blocked, inProgress, notStarted = 0, notNeeded = 0, unplanned = 0 } = counts;
  const others = [
    [blocked, 'waiting or needing attention'],
    [inProgress, 'in progress'],
    [notNeeded, 'no longer needed'],
    [notStarted, 'not started'],
    [unplanned, 'unplanned'],
  ] as const;
  const rest = others.flatMap(([n, words]) => (n > 0 ? [`, ${number(n)} ${words}`] : []));
  return `${number(confirmed)} of ${number(total)} confirmed, ${number(failed)} failed${rest.join('')}`;
}

export const reasonText = (code: string | null): string => sentenceOf(code) ?? '';

/** `RemediationBlocked` as `Remediation blocked`. */
export function typeText(type: string): string {
  const words = type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function stateText(status: string | null, ruleMode: string | null): string {
  return [status, ruleMode].filter((part) => part !== null).join(' / ') || '–';
}
