import { type CronSpec, type CronTimes, cronTimes } from '../cron.ts';
import type { EpochMs } from '../enrollment/model.ts';

/** One change window, as written in the policy. */
export interface WindowSpec extends CronSpec {
  readonly kind: 'allow' | 'deny';
  /** Elapsed time, as RFC 5545 counts hours: a clock change does not move the end. */
  readonly durationMs: number;
}

/**
 * Evaluates change windows. A moment is open if no `deny` window covers it and, if there are `allow` windows, one of them does.
 * A window covers [start, start + duration). Answers are cached, because they are needed for every account.
 */
export interface Windows {
  readonly isOpen: (at: EpochMs) => boolean;
  /** The first open moment at or after `at`; `null`: none within {@link HORIZON_MS}. Too early if the search was cut short. */
  readonly nextOpening: (at: EpochMs) => EpochMs | null;
  /** When the open period that contains `at` ends; `null`: `at` is closed, or no end was found. */
  readonly closesAt: (at: EpochMs) => EpochMs | null;
}

/** How far ahead to search for an opening: a 29 February may be eight years away. */
export const HORIZON_MS = 10 * 366 * 24 * 60 * 60 * 1000;
/** How far a period without a gap is followed, ms. Cron expressions repeat every year, so looking further would find no end either. */
const COVERED_MS = 367 * 24 * 60 * 60 * 1000;
/** The maximum number of consecutive windows to check before the search is cut short. */
const MAX_STEPS = 1_000;

const ALWAYS: Windows = { isOpen: () => true, nextOpening: (at) => at, closesAt: () => null };

export function compileWindows(specs: readonly WindowSpec[] | null): Windows {
  if (specs === null || specs.length === 0) return ALWAYS;
  const allow = specs.filter(({ kind }) => kind === 'allow').map(toOccurrences);
  const deny = specs.filter(({ kind }) => kind === 'deny').map(toOccurrences);
  let known: Span | null = null;
  const spanAt = (at: EpochMs): Span => {
    if (known === null || at < known.from || at >= (known.until ?? Number.POSITIVE_INFINITY)) {
      known = isOpenAt(allow, deny, at) ? openSpan(allow, deny, at) : closedSpan(allow, deny, at);
    }
    return known;
  };
  return {
    isOpen: (at) => spanAt(at).open,
    nextOpening: (at) => {
      const span = spanAt(at);
      return span.open ? at : span.until;
    },
    closesAt: (at) => {
      const span = spanAt(at);
      return span.open && !span.endless ? span.until : null;
    },
  };
}

/** A period that is open or closed throughout. It covers at least [from, until) and may last longer. */
interface Span {
  readonly open: boolean;
  readonly from: EpochMs;
  readonly until: EpochMs | null;
  /** Open, but its end was not searched for. */
  readonly endless: boolean;
}

/** The starts of one window. */
interface Occurrences extends CronTimes {
  readonly durationMs: number;
}

function toOccurrences(spec: WindowSpec): Occurrences {
  return { ...cronTimes(spec), durationMs: spec.durationMs };
}

/** When the occurrence that covers `at` ends; of several, the latest end. `null`: none covers it. */
function endOf({ last, durationMs }: Occurrences, at: EpochMs): EpochMs | null {
  const start = last(at);
  return start !== null && at < start + durationMs ? start + durationMs : null;
}

interface Cover {
  readonly until: EpochMs;
  /** Whether the search was cut short, so that the time may be covered for longer. */
  readonly cut: boolean;
}

/**
 * Until when these windows cover the time from `at` without a gap; `null`: `at` is not covered.
 * @param enough the search may stop at this time
 */
function coveredUntil(windows: readonly Occurrences[], at: EpochMs, enough = at + COVERED_MS): Cover | null {
  let until = at;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const ends = windows.flatMap((window) => endOf(window, until) ?? []);
    if (ends.length === 0) return until === at ? null : { until, cut: false };
    until = Math.max(...ends);
    if (until > enough) break;
  }
  return { until, cut: true };
}

function nextStart(windows: readonly Occurrences[], after: EpochMs): EpochMs | null {
  const starts = windows.flatMap(({ next }) => next(after) ?? []);
  return starts.length === 0 ? null : Math.min(...starts);
}

function isOpenAt(allow: readonly Occurrences[], deny: readonly Occurrences[], at: EpochMs): boolean {
  const covers = (window: Occurrences): boolean => endOf(window, at) !== null;
  return !deny.some(covers) && (allow.length === 0 || allow.some(covers));
}

function openSpan(allow: readonly Occurrences[], deny: readonly Occurrences[], at: EpochMs): Span {
  const denied = nextStart(deny, at);
  const enough = Math.min(denied ?? Number.POSITIVE_INFINITY, at + COVERED_MS);
  const allowed = allow.length === 0 ? null : coveredUntil(allow, at, enough);
  if (allowed === null) return { open: true, from: at, until: denied, endless: denied === null };
  if (denied !== null && denied <= allowed.until) return { open: true, from: at, until: denied, endless: false };
  return { open: true, from: at, until: allowed.until, endless: allowed.cut };
}

function closedSpan(allow: readonly Occurrences[], deny: readonly Occurrences[], from: EpochMs): Span {
  let at = from;
  for (let step = 0; step < MAX_STEPS && at <= from + HORIZON_MS; step += 1) {
    const denied = coveredUntil(deny, at);
    if (denied?.cut) return { open: false, from, until: beyond(denied.until, from), endless: false };
    if (denied !== null) at = denied.until;
    if (isOpenAt(allow, deny, at)) return { open: false, from, until: at, endless: false };
    const next = nextStart(allow, at);
    if (next === null) return { open: false, from, until: null, endless: false };
    at = next;
  }
  return { open: false, from, until: beyond(at, from), endless: false };
}

function beyond(at: EpochMs, from: EpochMs): EpochMs | null {
  return at > from + HORIZON_MS ? null : at;
}

/** The first `count` starts of one window after `from` that lie within the horizon. */
export function startsOf(spec: WindowSpec, from: EpochMs, count: number): readonly EpochMs[] {
  const { next } = toOccurrences(spec);
  const starts: EpochMs[] = [];
  for (let at = next(from); at !== null && starts.length < count && at <= from + HORIZON_MS; at = next(at)) {
    starts.push(at);
  }
  return starts;
}
