import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../shared/ports/system.ts';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that only moves when a test advances it. */
export interface ManualClock extends Clock {
  /**
   * Moves time forward by `ms`. Wakes sleepers in order of their wake-up time (then of the start of their sleep), each at its own time. Each gets a chance to
   * act, so that a sleeper that sleeps again within the span is woken again.
   */
  advance(ms: number): Promise<void>;
  /** Moves to the next wake-up time and wakes that sleeper; `false` if there is no sleeper. */
  advanceToNext(): Promise<boolean>;
  /** The number of sleepers. */
  readonly sleeping: number;
}

/** How many turns of the event loop a woken sleeper gets before time moves on. */
const TURNS = 4;

/** 2026-03-01T12:00:00.000Z */
export const MANUAL_CLOCK_START = 1_772_366_400_000;

export function manualClock(start: number = MANUAL_CLOCK_START): ManualClock {
  let now = start;
  const sleepers: Sleeper[] = [];

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
  };
  const next = (): Sleeper | undefined =>
    // The first of the earliest: `sleepers` is in the order in which they started to sleep.
    sleepers.reduce<Sleeper | undefined>(
      (first, each) => (first && first.until <= each.until ? first : each),
      undefined,
    );

  const advanceTo = async (target: number): Promise<void> => {
    await settle();
    for (let due = next(); due !== undefined && due.until <= target; due = next()) {
      now = Math.max(now, due.until);
      due.wake();
      await settle();
    }
    now = Math.max(now, target);
  };

  return {
    now: () => now,
    sleep(ms, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = (): void => {
          sleepers.splice(sleepers.indexOf(sleeper), 1);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper: Sleeper = { until: now + Math.max(0, ms), wake };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      });
    },
    advance: (ms) => advanceTo(now + ms),
    async advanceToNext() {
      await settle();
      const due = next();
      if (due !== undefined) await advanceTo(due.until);
      return due !== undefined;
    },
    get sleeping() {
      return sleepers.length;
    },
  };
}
