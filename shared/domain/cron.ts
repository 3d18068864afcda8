import { Cron } from 'croner';
import type { EpochMs } from './types.ts';

/** A cron expression of 5 fields on the clock of a zone. */
export interface CronSpec {
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
}

/** The times at which an expression fires. */
export interface CronTimes {
  /** The first one after `at`; `null`: none. */
  readonly next: (at: EpochMs) => EpochMs | null;
  /** The last one at or before `at`; `null`: none. */
  readonly last: (at: EpochMs) => EpochMs | null;
}

/**
 * The one parser of cron expressions, for `schedule` and `windows` alike.
 *
 * Changes of the clock follow Vixie cron: a time that is skipped fires when the clocks have been put forward, and one that comes twice fires
 * once, at the first. With a wildcard or step in the minute or hour it does not fire, or fires twice.
 *
 * A day fits if either the day of month or the day of week does, where neither is `*`; see {@link differsFromVixie}.
 * @throws where the expression is not one
 */
export function cronTimes({ cron, timezone }: CronSpec): CronTimes {
  const pattern = new Cron(cron, { timezone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true });
  return {
    next: (at) => pattern.nextRun(new Date(at))?.getTime() ?? null,
    // Strictly before the millisecond after: at or before.
    last: (at) => pattern.previousRuns(1, new Date(at + 1))[0]?.getTime() ?? null,
  };
}

/** What is wrong with a 5-field cron expression, or null. Every expression that can never fire is wrong too. */
export function cronProblem(text: string, timezone: string): string | null {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5) return `it has ${text.trim() === '' ? 0 : fields.length} fields`;
  try {
    // Any fixed instant serves: an expression without a date in a four-year cycle has none at all.
    return cronTimes({ cron: fields.join(' '), timezone }).next(0) === null ? 'no date ever fits it' : null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
  }
}

/**
 * Whether Vixie cron reads the two day fields differently: it takes any field that begins with `*`, so a `*` with a step as well, for a star and then
 * requires both fields to fit. `+` before the day of week requires both here, too.
 */
export function differsFromVixie(cron: string): boolean {
  const [, , date = '*', , day = '*'] = cron.trim().split(/\s+/);
  if (isEveryDay(date) || isEveryDay(day) || day.startsWith('+')) return false;
  return date.startsWith('*') || day.startsWith('*');
}

const isEveryDay = (field: string): boolean => field === '*' || field === '?';
