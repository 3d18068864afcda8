import { actorName, NOBODY_NAMED } from '../../../shared/domain/actor.ts';
import { PREREQUISITE_TITLES, TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import {
  type ReasonWords,
  reasonWords,
  reasonText as sentenceOf,
} from '../../../shared/domain/enrollment/reason-codes.ts';

/* Numbers and codes as text for people. */

const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const tenths = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const number = (n: number): string => numbers.format(n);

export const count = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`;

/** `95.5%`, rounded down so that 100% means all; `–` if there is no value. */
export const percent = (n: number | null): string => {
  if (n === null) return '–';
  const floored = Math.floor(n * 10) / 10;
  return floored === 100 || floored === 0 ? `${floored}%` : `${tenths.format(floored)}%`;
};

/** A difference with its sign and a real minus: `+255`, `−3.1`, `0`. */
export const signed = (n: number): string => (n === 0 ? '0' : `${n > 0 ? '+' : '−'}${number(Math.abs(n))}`);

export { durationText as duration } from './time-text.ts';

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `a, b and c`. */
export function listed(words: readonly string[]): string {
  const last = words.at(-1);
  if (last === undefined || words.length === 1) return last ?? '';
  return `${words.slice(0, -1).join(', ')} and ${last}`;
}

/** With a capital first letter. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
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

export const reasonText = (code: string | null): string => sentenceOf(code) ?? '';

/** The words for a reason; for a code of another version, the code. */
export const wordsOf = (code: string): ReasonWords => reasonWords(code) ?? { text: code, short: code, todo: '' };

export function stateText(status: string | null, ruleMode: string | null): string {
  return [status, ruleMode].filter((part) => part !== null).join(' / ') || '–';
}

/** The numbers of a guardrail's message. The commands that follow the semicolon are for the terminal; here, buttons offer them. */
export const factOf = (message: string): string => message.split(';')[0] ?? message;

/** The beginning of a guardrail's message, for a row of a list. */
export const firstClause = (message: string): string => message.split(/ \(|, but |; /)[0] ?? message;

/** Who caused a drift, as filters show it. */
export const callerName = (caller: string): string => (caller === NOBODY_NAMED ? 'Unknown actor' : actorName(caller));
