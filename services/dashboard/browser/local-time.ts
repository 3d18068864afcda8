/* What a date field of the browser has: a time of the reader's zone without the zone. */

/** A field of the reader's zone (`2026-11-22T08:30`) as ISO 8601. */
export const isoOf = (field: string | null): string | null => {
  if (field === null || field === '') return null;
  const ms = new Date(field).getTime();
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
};

/** The other way round. */
export function fieldOf(date: Date): string {
  const here = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return here.toISOString().slice(0, 16);
}
