import { createLogUpdate } from 'log-update';
import type { Progress } from '../../../shared/app/context.ts';
import { finishedOf, PlannedWork, workKey } from '../../../shared/app/plan/planned-work.ts';
import type { CallCounts } from '../../../shared/app/rate-limiter/rate-limiter.ts';
import { type PlanTotals, totalChanges } from '../../../shared/domain/decision/plan-totals.ts';
import { byKind, FIRST_KIND, KINDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Output } from './output.ts';
import { changesText, count, duration, number } from './words.ts';
import { shorten } from './wrap.ts';

export interface ProgressOptions {
  readonly output: Output;
  readonly now: () => number;
  readonly stream: NodeJS.WriteStream;
  /** `live`: a block that is redrawn; `lines`: an occasional line; `off`: nothing. */
  readonly mode: 'live' | 'lines' | 'off';
}

/** Minimum time between two lines, ms. */
const LINE_MS = 2_000;
/** Time between two redraws of the block, ms. */
const FRAME_MS = 100;
/** The remaining time is shown after this share of the changes and this time, ms. An earlier estimate would be a guess. */
const ESTIMATE_FROM = 0.05;
const ESTIMATE_AFTER_MS = 5_000;
/** The end of a wait is shown only if the wait is longer than this, ms. */
const SOON_MS = 2_000;

/** Tracks the progress of one run and shows it. */
export class RunProgress {
  readonly #options: ProgressOptions;
  readonly #block: ReturnType<typeof createLogUpdate>;
  readonly #work = new PlannedWork();
  #calls: CallCounts = {};
  #phase = 'starting';
  /** The end time of the current wait, as text. */
  #until = '';
  #accounts = 0;
  readonly #listed = byKind(() => 0);
  #totals: PlanTotals | null = null;
  /** When remediation started, ms. */
  #workedSince = 0;
  /** How many accounts were processed that are not part of the plan. */
  #others = 0;
  #shownAt = Number.NEGATIVE_INFINITY;
  #shown = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#block = createLogUpdate(options.stream, { showCursor: true });
  }

  /** Starts showing a run. `calls` is updated while it runs. */
  begin(calls: CallCounts): void {
    this.#calls = calls;
    this.#phase = 'reading the organization';
    if (this.#options.mode !== 'live') return;
    this.#options.output.setLive({ clear: () => this.#block.clear(), redraw: () => this.#draw() });
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  /** Removes the block; the text above it stays. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#options.output.setLive(null);
    if (this.#options.mode === 'live') this.#block.clear();
    else this.#line(true);
  }

  readonly take = (event: Progress): void => {
    const phase = this.#note(event);
    const changed = phase !== null && phase !== this.#phase;
    // The line of the previous phase, with its final numbers.
    if (changed) this.#line(true);
    this.#phase = phase ?? this.#phase;
    this.#until = this.#untilOf(event);
    this.#line(false);
  };

  /** Records an event. @returns its phase; `null`: the phase is unchanged */
  #note(event: Progress): string | null {
    switch (event.kind) {
      case 'waitingForLease':
        return 'waiting for another scan to finish';
      case 'organization':
        this.#accounts = event.accounts;
        return event.done ? 'reading enrollments' : 'reading the organization';
      case 'listing':
        this.#listed[event.listing] = event.accounts;
        return null;
      case 'probing':
        return `reading ${count(event.total, 'account')} missing from the listings`;
      case 'recorded':
        return 'recording';
      case 'queued':
        this.#totals = event.totals;
        this.#work.begin(event.keys);
        this.#workedSince = this.#options.now();
        return totalChanges(event.totals) === 0 ? 'looking for due changes' : 'remediating';
      case 'worked':
        if (!this.#work.take(workKey(event.accountId, event.enrollment), event.outcome)) this.#others += 1;
        return 'remediating';
      case 'waiting':
        return 'waiting for the next due change';
    }
  }

  #untilOf(event: Progress): string {
    if (event.kind === 'waitingForLease') return ` (until ${clockTime(event.until)} if its process has died)`;
    const waits = event.kind === 'waiting' && event.until - this.#options.now() > SOON_MS;
    return waits ? ` (${clockTime(event.until)})` : '';
  }

  #draw(): void {
    const width = this.#options.stream.columns ?? 80;
    this.#block(
      [`  ${this.#phase}${this.#until}`, ...this.#details().map((detail) => `  ${detail}`)]
        .map((line) => shorten(line, width))
        .join('\n'),
    );
  }

  #line(now: boolean): void {
    if (this.#options.mode !== 'lines') return;
    const time = this.#options.now();
    if (!now && time - this.#shownAt < LINE_MS) return;
    const line = [`${this.#phase}${this.#until}`, ...this.#details()].join(', ');
    if (line === this.#shown || this.#phase === 'starting') return;
    this.#shownAt = time;
    this.#shown = line;
    this.#options.output.note(line);
  }

  #details(): string[] {
    const listed = KINDS.filter(({ id }) => id === FIRST_KIND.id || this.#listed[id] > 0);
    const texts = listed.map(({ id, title }) => `${number(this.#listed[id])} for ${title}`);
    const read = `${count(this.#accounts, 'account')}, listed ${texts.join(' and ')}`;
    return [read, ...this.#changes(), ...this.#throttled()];
  }

  #changes(): string[] {
    const totals = this.#totals;
    if (totals === null) return [];
    const others = this.#others === 0 ? [] : [`${count(this.#others, 'other key')} checked`];
    if (totalChanges(totals) === 0) return others;
    const progress = this.#work.progress;
    const finished = finishedOf(progress);
    if (finished + progress.inProgress === 0) return [changesText(totals), ...others];
    const percent = Math.floor((100 * finished) / progress.total);
    const parts = PARTS.flatMap(([part, words, always]) =>
      progress[part] > 0 || always ? [`${number(progress[part])} ${words}`] : [],
    );
    const line = `${number(finished)} of ${count(progress.total, 'change')} (${percent}%): ${parts.join(', ')}`;
    return [`${line}${this.#timeLeft(finished, progress.total)}`, ...others];
  }

  #timeLeft(finished: number, total: number): string {
    const elapsed = this.#options.now() - this.#workedSince;
    if (finished === total || elapsed < ESTIMATE_AFTER_MS || finished < ESTIMATE_FROM * total) return '';
    return `, about ${duration((elapsed / finished) * (total - finished))} left`;
  }

  #throttled(): string[] {
    const all = Object.values(this.#calls);
    if (all.length === 0) return [];
    const calls = all.reduce((sum, { count: n }) => sum + n, 0);
    const throttled = all.reduce((sum, each) => sum + each.throttled, 0);
    return [`${count(calls, 'call')}, ${number(throttled)} throttled`];
  }
}

/** A time without a date, because waits end within hours. Absolute, so that it does not change with each redraw. */
function clockTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 19)} UTC`;
}

/** The parts of the total, and whether a part is shown even if it is zero. */
const PARTS = [
  ['confirmed', 'confirmed', true],
  ['failed', 'failed', true],
  ['blocked', 'waiting or needing attention', false],
  ['notNeeded', 'no longer needed', false],
  ['inProgress', 'in progress', false],
] as const;

/** `--quiet` has no progress, and `--json` only with `--verbose`; the live block needs a terminal that can draw it. */
export function progressMode(
  output: Output,
  config: { readonly json: boolean; readonly quiet?: boolean; readonly verbose: boolean; readonly drawable: boolean },
): ProgressOptions['mode'] {
  if (config.quiet === true || (config.json && !config.verbose)) return 'off';
  return output.notesAreTerminal && config.drawable && !config.verbose ? 'live' : 'lines';
}
