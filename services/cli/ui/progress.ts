import { createLogUpdate } from 'log-update';
import type { Progress, WorkOutcome } from '../../../shared/app/deps.ts';
import type { CallCounts } from '../../../shared/app/limiter.ts';
import type { Output } from './output.ts';
import { shorten } from './table.ts';
import { count, duration, number } from './words.ts';

export interface ProgressOptions {
  readonly output: Output;
  readonly now: () => number;
  readonly stream: NodeJS.WriteStream;
  /** `live`: a block that is redrawn; `lines`: a line now and then; `off`: nothing. */
  readonly mode: 'live' | 'lines' | 'off';
}

/** How often a line is written at most, ms. */
const LINE_MS = 2_000;
/** How often the block is redrawn, ms. */
const FRAME_MS = 100;
/** The time over which the rate is taken, ms. */
const RATE_MS = 5_000;
/** A wait of which the end need not be told, ms. */
const SOON_MS = 2_000;

/** What is known of a run while it goes on, and how it is shown. */
export class RunProgress {
  readonly #options: ProgressOptions;
  readonly #block: ReturnType<typeof createLogUpdate>;
  readonly #outcomes = new Map<WorkOutcome, number>();
  #calls: CallCounts = {};
  #phase = 'starting';
  /** Until when it is waited, in words. */
  #until = '';
  #accounts = 0;
  #listed = { computeOptimizer: 0, automation: 0 };
  #changes = 0;
  #closed: number[] = [];
  #shownAt = Number.NEGATIVE_INFINITY;
  #shown = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#block = createLogUpdate(options.stream, { showCursor: true });
  }

  /** Begins a run; `calls` is read while it goes on. */
  begin(calls: CallCounts): void {
    this.#calls = calls;
    this.#outcomes.clear();
    this.#closed = [];
    this.#phase = 'reading the organization';
    this.#until = '';
    this.#listed = { computeOptimizer: 0, automation: 0 };
    this.#changes = 0;
    if (this.#options.mode !== 'live') return;
    this.#options.output.setLive({ clear: () => this.#block.clear(), redraw: () => this.#draw() });
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  /** Takes the block away; what stands above it stays. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#options.output.setLive(null);
    if (this.#options.mode === 'live') this.#block.clear();
    else this.#line(true);
  }

  readonly take = (event: Progress): void => {
    const phase = this.#note(event);
    const turned = phase !== null && phase !== this.#phase;
    // What the phase before came to is worth its line.
    if (turned) this.#line(true);
    this.#phase = phase ?? this.#phase;
    this.#until = this.#untilOf(event);
    this.#line(false);
  };

  /** Takes in what an event says. Answers the phase that it belongs to; `null`: that of before. */
  #note(event: Progress): string | null {
    switch (event.kind) {
      case 'waitingForLease':
        return 'waiting for another scan to end';
      case 'organization':
        this.#accounts = event.accounts;
        return event.done ? 'reading enrollments' : 'reading the organization';
      case 'listing':
        this.#listed[event.listing] = event.accounts;
        return null;
      case 'probing':
        return `reading ${count(event.total, 'account')} that no listing names`;
      case 'recorded':
        return 'recording';
      case 'queued':
        this.#changes = event.changes;
        return event.changes === 0 ? 'looking for what is due' : 'remediating';
      case 'worked':
        this.#count(event.outcome);
        return 'remediating';
      case 'waiting':
        return 'waiting for what is due next';
    }
  }

  #untilOf(event: Progress): string {
    if (event.kind === 'waitingForLease') return ` (if its process is gone, until ${clockTime(event.until)})`;
    const waits = event.kind === 'waiting' && event.until - this.#options.now() > SOON_MS;
    return waits ? ` (${clockTime(event.until)})` : '';
  }

  #count(outcome: WorkOutcome): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    if (ENDED.has(outcome)) this.#closed.push(this.#options.now());
  }

  #draw(): void {
    const width = this.#options.stream.columns ?? 80;
    this.#block(
      [`  ${this.#phase}${this.#until}`, ...this.#facts().map((fact) => `  ${fact}`)]
        .map((line) => shorten(line, width))
        .join('\n'),
    );
  }

  #line(now: boolean): void {
    if (this.#options.mode !== 'lines') return;
    const time = this.#options.now();
    if (!now && time - this.#shownAt < LINE_MS) return;
    const line = [`${this.#phase}${this.#until}`, ...this.#facts()].join(', ');
    if (line === this.#shown || this.#phase === 'starting') return;
    this.#shownAt = time;
    this.#shown = line;
    this.#options.output.note(line);
  }

  #facts(): string[] {
    const { computeOptimizer, automation } = this.#listed;
    const seen = [`${count(this.#accounts, 'account')}, listed ${number(computeOptimizer)} for Compute Optimizer`];
    if (automation > 0) seen.push(`${number(automation)} for Automation`);
    const facts = [seen.join(' and ')];
    if (this.#changes === 0 && this.#outcomes.size === 0) return [...facts, ...this.#throttled()];
    const outcomes = [...this.#outcomes].map(([outcome, n]) => `${number(n)} ${OUTCOME_WORDS[outcome]}`);
    const queued = `${count(this.#changes, 'change')} queued`;
    return [[queued, ...outcomes].join(', '), ...this.#pace(), ...this.#throttled()];
  }

  #pace(): string[] {
    const now = this.#options.now();
    const [first] = this.#closed;
    const recent = this.#closed.filter((at) => now - at <= RATE_MS).length;
    if (first === undefined || recent === 0) return [];
    const rate = recent / (Math.min(RATE_MS, Math.max(1_000, now - first)) / 1_000);
    const left = Math.max(0, this.#changes - this.#closed.length);
    const eta = left > 0 ? `, about ${duration((left / rate) * 1_000)} left` : '';
    return [`${rate.toFixed(1)} accounts/s${eta}`];
  }

  #throttled(): string[] {
    const all = Object.values(this.#calls);
    if (all.length === 0) return [];
    const calls = all.reduce((sum, { count: n }) => sum + n, 0);
    const throttled = all.reduce((sum, each) => sum + each.throttled, 0);
    return [`${count(calls, 'call')}, ${number(throttled)} throttled`];
  }
}

/** Of a wait that ends within hours; without a date, and the same however often it is drawn. */
function clockTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 19)} UTC`;
}

const ENDED: ReadonlySet<WorkOutcome> = new Set([
  'resolved',
  'converging',
  'blocked',
  'dead',
  'nothingToDo',
  'superseded',
]);

const OUTCOME_WORDS: Readonly<Record<WorkOutcome, string>> = {
  resolved: 'resolved',
  converging: 'converging',
  blocked: 'blocked',
  retrying: 'to be retried',
  dead: 'given up',
  nothingToDo: 'nothing to do',
  superseded: 'superseded',
};

/** Which way of showing suits: none beside `--json` unless asked for, a block only where one can be drawn. */
export function progressMode(
  output: Output,
  config: { readonly json: boolean; readonly verbose: boolean; readonly drawable: boolean },
): ProgressOptions['mode'] {
  if (config.json && !config.verbose) return 'off';
  return output.notesAreTerminal && config.drawable && !config.verbose ? 'live' : 'lines';
}
