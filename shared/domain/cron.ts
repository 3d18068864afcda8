import { Cron } from 'croner';
import type { EpochMs } from './enrollment/model.ts';

/** A 5-field cron expression in a time zone. */
export interface CronSpec {
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
}

/** The times at which an expression fires. */
export interface CronTimes {
  /** The first time after `at`; `null`: none. */
  readonly next: (at: EpochMs) => EpochMs | null;
  /** The last time at or before `at`; `null`: none. */
  readonly last: (at: EpochMs) => EpochMs | null;
}

/**
 * Parses the cron expressions of `schedule` and `windows`. Clock changes follow Vixie cron: a skipped time fires right after the
 * clocks go forward, and a time that occurs twice fires once. If the minute or hour has a wildcard or a step, skipped times do
 * not fire, and repeated times fire twice. If neither day field is `*`, a day matches if either field matches.
 * @throws if the expression is not valid
 */
export function cronTimes({ cron, timezone }: CronSpec): CronTimes {
  const pattern = new Cron(cron, { timezone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true });
  return {
    next: (at) => pattern.nextRun(new Date(at))?.getTime() ?? null,
    // `previousRuns` is exclusive; one millisecond more includes `at` itself.
    last: (at) => pattern.previousRuns(1, new Date(at + 1))[0]?.getTime() ?? null,
  };
}

/** What is wrong with a 5-field cron expression, or null. An expression that can never fire is wrong too. */
export function cronProblem(text: string, timezone: string): string | null {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5) return `it has ${text.trim() === '' ? 0 : fields.length} fields`;
  try {
    // The parser looks far enough ahead from any start to find a date if there is one.
    return cronTimes({ cron: fields.join(' '), timezone }).next(0) === null ? 'no date ever matches it' : null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
  }
}

/**
 * Whether Vixie cron reads the two day fields differently. If one begins with `*`, even with a step, Vixie requires
 * both fields to match. Here only a `+` before the day of week requires that.
 */
export function differsFromVixie(cron: string): boolean {
  const [, , date = '*', , day = '*'] = cron.trim().split(/\s+/);
  if (isEveryDay(date) || isEveryDay(day) || day.startsWith('+')) return false;
  return date.startsWith('*') || day.startsWith('*');
}

const isEveryDay = (field: string): boolean => field === '*' || field === '?';
