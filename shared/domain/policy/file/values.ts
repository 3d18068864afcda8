/** Small text formats of the policy file: durations, dates, time zones, names. */

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
export const DAY_MS = UNIT_MS.d;

/** `90s`, `30m`, `1h`, `400d` in ms; null if it is not a duration. */
export function parseDuration(text: string): number | null {
  const parts = /^(\d{1,9})([smhd])$/.exec(text);
  const unit = parts?.[2];
  if (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd') return null;
  return Number(parts?.[1]) * UNIT_MS[unit];
}

/** Epoch ms of 00:00 UTC of a `YYYY-MM-DD` that exists in the calendar, else null. */
export function parseDate(text: string): number | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (parts === null) return null;
  const ms = Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  return formatDate(ms) === text ? ms : null;
}

export function formatDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Epoch ms of 00:00 UTC of the same date a year later; of 29 February, the 28th. */
export function oneYearAfter(now: number): number {
  const day = new Date(now);
  const year = day.getUTCFullYear() + 1;
  const same = Date.UTC(year, day.getUTCMonth(), day.getUTCDate());
  const overflowed = new Date(same).getUTCMonth() !== day.getUTCMonth();
  return overflowed ? Date.UTC(year, day.getUTCMonth() + 1, 0) : same;
}

/** Whether this Node's time zone data knows the IANA name. Offsets such as `+01:00` are rejected, because they have no daylight saving time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false; // Intl throws RangeError for an unknown zone
  }
}

/** `/`, or `/A/B` without empty names and without a slash at the end. */
export function isOuPath(text: string): boolean {
  return text === '/' || (text.startsWith('/') && !text.endsWith('/') && !text.includes('//'));
}

/** The syntax of a variable, for messages. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the text shows this syntax
export const VARIABLE_SYNTAX = '${NAME}';

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** The distinct names of the variables in a `${VAR}` template; null if a `${` is malformed. */
export function templateVariables(template: string): readonly string[] | null {
  if (template.replace(VARIABLE, '').includes('${')) return null;
  return [...new Set([...template.matchAll(VARIABLE)].map((match) => match[1] ?? ''))];
}

/** Fills in the variables. Their values are not searched for further variables. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(VARIABLE, (_, name: string) => values[name] ?? '');
}
