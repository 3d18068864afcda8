/** A slow, independent implementation of windows: walks the local time of a zone minute by minute. `null` in a field: `*`. */
export interface OracleSpec {
  readonly kind: 'allow' | 'deny';
  readonly minute: readonly number[];
  readonly hour: readonly number[] | null;
  readonly date: readonly number[] | null;
  readonly day: readonly number[] | null;
  readonly durationMin: number;
  readonly timezone: string;
}

export const MINUTE = 60_000;

const formats = new Map<string, Intl.DateTimeFormat>();
/** By zone, by quarter of an hour. */
const offsets = new Map<string, Map<number, number>>();

/** All zones change their clocks at a quarter of an hour. */
const STEP_MS = 15 * MINUTE;

/** The zone's offset from UTC at a time, minutes; cached per quarter of an hour, because the calendar is slow. */
function offsetAt(timeZone: string, at: number): number {
  const known = offsets.get(timeZone) ?? new Map<number, number>();
  offsets.set(timeZone, known);
  const quarter = Math.floor(at / STEP_MS);
  const offset = known.get(quarter) ?? readOffset(timeZone, quarter * STEP_MS);
  known.set(quarter, offset);
  return offset;
}

function readOffset(timeZone: string, at: number): number {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' },
    });
  formats.set(timeZone, format);
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts;
  return (Date.UTC(year, month - 1, day, hour, minute) - at) / MINUTE;
}

/** Whether a local time, written as if it were UTC, matches the fields. With both days given, either may match, as in cron. */
function fits({ minute, hour, date, day }: OracleSpec, wall: number): boolean {
  const time = new Date(wall);
  if (!minute.includes(time.getUTCMinutes())) return false;
  if (hour !== null && !hour.includes(time.getUTCHours())) return false;
  const byDate = date?.includes(time.getUTCDate()) ?? null;
  const byDay = day?.includes(time.getUTCDay()) ?? null;
  if (byDate !== null && byDay !== null) return byDate || byDay;
  return byDate ?? byDay ?? true;
}

/** The minutes after `from` at which an occurrence begins, epoch ms. */
export function startsFrom(spec: OracleSpec, from: number, minutes: number): number[] {
  return Array.from({ length: minutes }, (_, i) => from + i * MINUTE).filter((at) => starts(spec, at));
}

/** Whether an occurrence begins at this minute. */
function starts(spec: OracleSpec, at: number): boolean {
  const now = offsetAt(spec.timezone, at);
  const before = offsetAt(spec.timezone, at - MINUTE);
  const wall = at + now * MINUTE;
  // The clocks have just gone forward: skipped times begin here, unless they recur every hour.
  if (now > before && spec.hour !== null) {
    for (let skipped = wall - (now - before) * MINUTE; skipped < wall; skipped += MINUTE) {
      if (fits(spec, skipped)) return true;
    }
  }
  if (!fits(spec, wall)) return false;
  // The clocks have gone back within the last hours: this local time has already occurred.
  const twice = [30, 60].some((shift) => offsetAt(spec.timezone, at - shift * MINUTE) === now + shift);
  return spec.hour === null || !twice;
}

/** Whether each minute from `from` (epoch ms) on is open. */
export function oracle(specs: readonly OracleSpec[], from: number, minutes: number): boolean[] {
  const covers = specs.map((spec) => {
    const left: boolean[] = [];
    let open = 0;
    for (let i = -spec.durationMin; i < minutes; i += 1) {
      open = starts(spec, from + i * MINUTE) ? spec.durationMin : open - 1;
      if (i >= 0) left.push(open > 0);
    }
    return { kind: spec.kind, left };
  });
  const allow = covers.filter(({ kind }) => kind === 'allow');
  const deny = covers.filter(({ kind }) => kind === 'deny');
  return Array.from({ length: minutes }, (_, i) => {
    const allowed = allow.length === 0 || allow.some(({ left }) => left[i] === true);
    return allowed && !deny.some(({ left }) => left[i] === true);
  });
}
