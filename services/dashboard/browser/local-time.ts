/* The value of a date field in the browser: a time in the reader's time zone, without the zone. */

/** The value of a date field (`2026-11-22T08:30`) as ISO 8601, UTC. */
export const isoOf = (field: string | null): string | null => {
  if (field === null || field === '') return null;
  const ms = new Date(field).getTime();
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
};

/** A time as the value of a date field. */
export function fieldOf(date: Date): string {
  const here = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return here.toISOString().slice(0, 16);
}
