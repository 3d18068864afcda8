import { createLogUpdate } from 'log-update';
import type { Progress } from '../../../shared/app/context.ts';
import { finishedOf, PlannedWork, workKey } from '../../../shared/app/plan/planned-work.ts';
import type { CallCounts } from '../../../shared/app/rate-limiter/rate-limiter.ts';
import { totalChanges } from '../../../shared/domain/decision/plan-totals.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Output } from './output.ts';
import { TimeLeft } from './time-left.ts';
import { clockTime, isForOthers, shortWaitText, type Waiting, waitText } from './wait-text.ts';
import { count, duration, number, partsText } from './words.ts';
import { shorten } from './wrap.ts';

export interface ProgressOptions {
  readonly output: Output;
  readonly now: () => number;
  readonly stream: NodeJS.WriteStream;
  /** `live`: a block that is redrawn; `lines`: an occasional line; `off`: nothing. */
  readonly mode: 'live' | 'lines' | 'off';
}

/** Minimum time between two lines, ms. */
const LINE_MS = 10_000;
/** Time between two redraws of the block, ms. */
const FRAME_MS = 250;
/** Cells of the bar. */
const BAR = 30;
/** The remaining time is shown after this share of the changes and this time, ms. An earlier estimate would be a guess. */
const ESTIMATE_FROM = 0.05;
const ESTIMATE_AFTER_MS = 5_000;
/** The end of a wait is shown only if the wait is longer than this, ms. */
const SOON_MS = 2_000;

/** Tracks the progress of one run and shows it: reading, then one bar for all changes of the plan. */
export class RunProgress {
  readonly #options: ProgressOptions;
  readonly #block: ReturnType<typeof createLogUpdate>;
  readonly #work = new PlannedWork();
  #calls: CallCounts = {};
  #reading = 'Reading the organization';
  #accounts = 0;
  readonly #listed = byKind(() => 0);
  /** `null`: the plan is not known yet. */
  #left: TimeLeft | null = null;
  /** When remediation started, ms. */
  #workedSince = 0;
  #waiting: Waiting | null = null;
  /** The number of planned changes that other runs have made. */
  #byOtherRuns = 0;
  #shownAt: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#block = createLogUpdate(options.stream, { showCursor: true });
    this.#shownAt = options.now();
  }

  /** Starts showing a run. `calls` is updated while it runs. */
  begin(calls: CallCounts): void {
    this.#calls = calls;
    this.#shownAt = this.#options.now();
    if (this.#options.mode !== 'live') return;
    this.#options.output.setLive({ clear: () => this.#block.clear(), redraw: () => this.#draw() });
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  /** Ends the display. The bar stays with its final numbers; the line of reading disappears. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    const { mode, output } = this.#options;
    output.setLive(null);
    if (mode === 'lines') this.#changesLine(true);
    if (mode !== 'live') return;
    if (!this.#hasChanges) this.#block.clear();
    else {
      this.#block(this.frame(true).join('\n'));
      this.#block.done();
      output.note('');
    }
  }

  readonly take = (event: Progress): void => {
    this.#note(event);
    const before = this.#waiting;
    this.#waiting = event.kind === 'waiting' && event.until - this.#options.now() > SOON_MS ? event : null;
    if (this.#options.mode !== 'lines' || event.kind === 'queued' || event.kind === 'concluded') return;
    if (this.#waiting !== null && isForOthers(this.#waiting)) {
      if (before?.cause.kind !== this.#waiting.cause.kind) this.#line(waitText(this.#waiting), true);
      return;
    }
    if (this.#hasChanges) this.#changesLine(false);
    else if (this.#waiting !== null) this.#line(waitText(this.#waiting), false);
    else
      this.#line(`${this.#reading.charAt(0).toLowerCase()}${this.#reading.slice(1)}`, event.kind === 'waitingForLease');
  };

  #note(event: Progress): void {
    switch (event.kind) {
      case 'waitingForLease':
        this.#reading = `Waiting for another scan to finish (until ${clockTime(event.until)} UTC if its process has died)`;
        return;
      case 'organization':
        this.#accounts = event.accounts;
        this.#reading = `Reading the organization: ${count(event.accounts, 'account')}`;
        return;
      case 'listing':
        this.#listed[event.listing] = event.accounts;
        if (this.#accounts === 0) return;
        this.#reading = `Reading enrollments: ${this.#read()} of ${count(this.#accounts, 'account')}`;
        return;
      case 'probing':
        this.#reading = `Reading ${count(event.total, 'account')} missing from the listings`;
        return;
      case 'recorded':
        this.#reading = 'Recording';
        return;
      case 'queued':
        this.#queued(event);
        return;
      case 'worked': {
        const key = workKey(event.accountId, event.enrollment);
        this.#work.take(key, event.outcome);
        this.#left?.take(key, event.outcome, this.#options.now());
        return;
      }
      case 'concluded':
        for (const key of event.confirmed) this.#work.take(key, 'resolved');
        for (const key of event.byOtherRuns) this.#work.take(key, 'nothingToDo');
        this.#byOtherRuns = event.byOtherRuns.size;
        return;
      case 'waiting':
        return;
    }
  }

  /** The accounts that every started listing has named. */
  #read(): string {
    const listings = Object.values(this.#listed).filter((n) => n > 0);
    return number(Math.min(this.#accounts, ...listings));
  }

  #queued({ totals, keys }: Extract<Progress, { kind: 'queued' }>): void {
    const now = this.#options.now();
    this.#work.begin(keys);
    this.#left = new TimeLeft(keys, now);
    this.#workedSince = now;
    if (totalChanges(totals) === 0) return;
    const accounts = new Set([...keys].map((key) => key.split(' ')[0])).size;
    const parts = partsText(totals);
    const total = `${count(totalChanges(totals), 'change')} to ${count(accounts, 'account')}`;
    this.#line(`plan: ${total}${parts === null ? '' : `: ${parts}`}`, true);
  }

  get #hasChanges(): boolean {
    return this.#work.progress.total > 0;
  }

  #draw(): void {
    const width = this.#options.stream.columns ?? 80;
    this.#block(
      this.frame(false)
        .map((line) => shorten(this.#options.output.forPeople(line), width))
        .join('\n'),
    );
  }

  /** The lines of the display. @param final whether the run has ended */
  frame(final: boolean): string[] {
    if (!this.#hasChanges) return [this.#waiting === null ? this.#reading : waitText(this.#waiting)];
    const { progress } = this.#work;
    const finished = finishedOf(progress);
    const share = finished / progress.total;
    const cells = Math.floor(BAR * share);
    const bar = `${'█'.repeat(cells)}${'░'.repeat(BAR - cells)}`;
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    return [
      `Remediating  ${bar} ${percent}  ${number(finished)} of ${count(progress.total, 'change')}`,
      `  ${[this.#parts(), ...(final ? this.#totals() : this.#delays()), ...this.#throttled()].join(' · ')}`,
    ];
  }

  #parts(): string {
    const { progress } = this.#work;
    const byOtherRuns = this.#byOtherRuns;
    const counts = { ...progress, byOtherRuns, notNeeded: progress.notNeeded - byOtherRuns };
    return PARTS.flatMap(([part, words, always]) =>
      counts[part] > 0 || always ? [`${number(counts[part])} ${words}`] : [],
    ).join(', ');
  }

  #totals(): string[] {
    const calls = Object.values(this.#calls).reduce((sum, { count: n }) => sum + n, 0);
    return [duration(this.#options.now() - this.#workedSince), count(calls, 'AWS call')];
  }

  #delays(): string[] {
    if (this.#waiting !== null) return [shortWaitText(this.#waiting)];
    const left = this.#timeLeft();
    return left === null ? [] : [`about ${left} left`];
  }

  #timeLeft(): string | null {
    const { progress } = this.#work;
    const now = this.#options.now();
    const finished = finishedOf(progress);
    if (finished === progress.total || now - this.#workedSince < ESTIMATE_AFTER_MS) return null;
    const ms = finished < ESTIMATE_FROM * progress.total ? null : (this.#left?.at(now) ?? null);
    return ms === null ? null : duration(Math.max(1_000, Math.round(ms / 1_000) * 1_000)).replace('.0s', 's');
  }

  #throttled(): string[] {
    const throttled = Object.values(this.#calls).reduce((sum, each) => sum + each.throttled, 0);
    return throttled === 0 ? [] : [`slowed by AWS (${count(throttled, 'call')} throttled)`];
  }

  #changesLine(final: boolean): void {
    const { progress } = this.#work;
    if (progress.total === 0) return;
    const finished = finishedOf(progress);
    const percent = Math.floor((100 * finished) / progress.total);
    const left = this.#timeLeft();
    const parts = [
      `${number(finished)} of ${count(progress.total, 'change')} (${percent}%)`,
      `${number(progress.failed)} failed`,
      ...(this.#waiting !== null && !final ? [shortWaitText(this.#waiting)] : []),
      ...(left === null || final || this.#waiting !== null ? [] : [`about ${left} left`]),
      ...this.#throttled(),
    ];
    this.#line(`progress: ${parts.join(', ')}`, final);
  }

  /** Writes a line, at most one in 10 s unless it must not be missed. */
  #line(text: string, important: boolean): void {
    const now = this.#options.now();
    if (this.#options.mode !== 'lines' || (!important && now - this.#shownAt < LINE_MS)) return;
    this.#shownAt = now;
    this.#options.output.note(`${clockTime(now)}Z ${text}`);
  }
}

/** The parts of the total, and whether a part is shown even if it is zero. */
const PARTS = [
  ['confirmed', 'confirmed', true],
  ['failed', 'failed', true],
  ['blocked', 'cannot start', false],
  ['byOtherRuns', 'made by another run', false],
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
