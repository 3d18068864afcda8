import type { WorkOutcome } from '../../../shared/app/context.ts';
import { workKey } from '../../../shared/app/plan/planned-work.ts';
import { ENROLLMENT_IDS, kindOf } from '../../../shared/domain/enrollment/kinds/index.ts';

/** A moment of the run, for rates: how many changes had been started, and for how long there had been changes to start. */
interface Sample {
  readonly started: number;
  readonly busyMs: number;
}

/** The present rate is that of this last part of the time in which changes could be started. */
const RECENT = 0.2;
/** It is at least this long, ms, because the limiter's rate swings from second to second. */
const RECENT_MS = 5_000;
/** The weight of the estimate with a rate that keeps growing, relative to that with a constant rate. */
const GROWING = 0.7;
/** Confirmations later than this are not the rate limit but AWS's own processing. ms. */
const PROMPT_MS = 500;

const IN_PROGRESS: ReadonlySet<WorkOutcome> = new Set(['converging', 'retrying']);

/**
 * Estimates how long a run still takes. Two things determine it: how fast changes are started, which the rate limit decides, and how long AWS takes
 * to confirm one. A follow-up starts only when its prerequisite is confirmed, so it takes two confirmations.
 */
export class TimeLeft {
  readonly #keys: ReadonlySet<string>;
  readonly #startedAt = new Map<string, number>();
  readonly #finished = new Set<string>();
  readonly #samples: Sample[] = [{ started: 0, busyMs: 0 }];
  #notedAt: number;
  /** The changes that only wait for a prerequisite of this plan. */
  #held = 0;
  /** The changes that others of this plan wait for. */
  readonly #needed: Set<string>;
  #latencies = 0;
  #latencySum = 0;

  /** @param keys the planned changes, by `workKey` @param now epoch ms */
  constructor(keys: ReadonlySet<string>, now: number) {
    this.#keys = keys;
    this.#notedAt = now;
    this.#held = [...keys].filter((key) => this.#waits(key)).length;
    this.#needed = new Set([...keys].flatMap((key) => this.#needs(key)).filter((key) => keys.has(key)));
  }

  take(key: string, outcome: WorkOutcome, now: number): void {
    if (!this.#keys.has(key)) return;
    this.#advance(now);
    if (!this.#startedAt.has(key)) {
      if (this.#waits(key)) this.#held -= 1;
      this.#startedAt.set(key, now);
    }
    if (IN_PROGRESS.has(outcome)) this.#finished.delete(key);
    else this.#finish(key, now);
    const busyMs = this.#samples.at(-1)?.busyMs ?? 0;
    this.#samples.push({ started: this.#startedAt.size, busyMs });
  }

  /** Milliseconds; `null`: nothing has been started, so there is no rate yet. */
  at(now: number): number | null {
    this.#advance(now);
    const left = this.#keys.size - this.#startedAt.size;
    if (this.#startedAt.size === 0) return null;
    const latency = this.#latency;
    const untilConfirmed = (key: string): number => latency - (now - (this.#startedAt.get(key) ?? now));
    const longest = (keys: Iterable<string>): number => {
      let most = 0;
      for (const key of keys) most = Math.max(most, untilConfirmed(key));
      return most;
    };
    const starts = left === 0 ? 0 : this.#startsLeft(left) + latency;
    const inProgress = [...this.#startedAt.keys()].filter((key) => !this.#finished.has(key));
    const followUps = this.#held === 0 ? 0 : longest(this.#needed) + latency;
    return Math.max(starts, longest(inProgress), followUps);
  }

  /** Time counts as busy while there is a change that could be started. */
  #advance(now: number): void {
    const last = this.#samples.at(-1) ?? { started: 0, busyMs: 0 };
    const ready = this.#keys.size - this.#startedAt.size - this.#held;
    if (ready > 0) this.#samples.push({ started: last.started, busyMs: last.busyMs + (now - this.#notedAt) });
    this.#notedAt = now;
  }

  #finish(key: string, now: number): void {
    this.#finished.add(key);
    this.#needed.delete(key);
    const since = this.#startedAt.get(key) ?? now;
    if (now - since >= PROMPT_MS) {
      this.#latencies += 1;
      this.#latencySum += now - since;
    }
    const [accountId = ''] = key.split(' ');
    for (const id of ENROLLMENT_IDS) {
      const follow = workKey(accountId, id);
      if (this.#keys.has(follow) && !this.#startedAt.has(follow) && this.#freed(follow, key)) this.#held -= 1;
    }
  }

  get #latency(): number {
    return this.#latencies === 0 ? 0 : this.#latencySum / this.#latencies;
  }

  /**
   * The rate of the limiter grows until AWS throttles. A run that is still speeding up follows a power of time; a run that has reached its rate
   * goes on with it. Which of both is the case is not known, so the estimate lies between them.
   */
  #startsLeft(left: number): number {
    const { started, busyMs } = this.#samples.at(-1) ?? { started: 0, busyMs: 0 };
    const since = busyMs - Math.max(RECENT_MS, busyMs * RECENT);
    const from = this.#samples.findLast((sample) => sample.busyMs <= since);
    const recentMs = Math.max(1, busyMs - (from?.busyMs ?? 0));
    const recent = (started - (from?.started ?? 0)) / recentMs;
    const average = started / Math.max(1, busyMs);
    if (recent <= 0) return left / average;
    if (average >= recent) return left / recent;
    // The recent rate is that of the middle of its time; it has grown since.
    const present = recent * Math.min(1.5, 1 + ((1 - average / recent) * recentMs) / Math.max(1, busyMs - recentMs));
    const steady = left / present;
    const growing = busyMs * ((1 + left / started) ** (average / present) - 1);
    return growing ** GROWING * steady ** (1 - GROWING);
  }

  #waits(key: string): boolean {
    return this.#needs(key).some((needed) => this.#keys.has(needed) && !this.#finished.has(needed));
  }

  /** Whether `follow` waited only for `done`. */
  #freed(follow: string, done: string): boolean {
    const needs = this.#needs(follow);
    return needs.includes(done) && !this.#waits(follow);
  }

  #needs(key: string): string[] {
    const [accountId = '', name] = key.split(' ');
    const id = ENROLLMENT_IDS.find((each) => each === name);
    return id === undefined ? [] : kindOf(id).prerequisites.map((each) => workKey(accountId, each));
  }
}
