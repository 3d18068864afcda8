import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueAt, nextScanAt } from '../../../shared/app/schedule/scan-schedule.ts';
import type { Schedule } from '../../../shared/domain/policy/index.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START = Date.UTC(2026, 2, 1, 12);

/** Runs ticks from `START`, one per minute with some jitter. @returns the times at which scans started */
function scansOf(schedule: Schedule, jitters: readonly number[]): number[] {
  const scans = [START];
  let last = START;
  jitters.forEach((jitter, index) => {
    const now = START + (index + 1) * MINUTE_MS + jitter;
    const due = dueAt(schedule, last, now);
    if (due === null) return;
    last = due;
    scans.push(now);
  });
  return scans;
}

const jitters = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 600, maxLength: 600 });

describe('when a scan is due', () => {
  it('is once per period, without drift, whatever the times of the ticks', () => {
    fc.assert(
      fc.property(jitters, fc.constantFrom(15 * MINUTE_MS, HOUR_MS), (ticks, everyMs) => {
        const scans = scansOf({ everyMs }, ticks);
        expect(scans.length).toBe(Math.floor((600 * MINUTE_MS) / everyMs) + 1);
        scans.forEach((at, index) => {
          expect(Math.abs(at - (START + index * everyMs))).toBeLessThan(MINUTE_MS + 20_000);
        });
      }),
    );
  });

  it('is immediately after a time without ticks, once', () => {
    const late = START + 50 * HOUR_MS + 5 * MINUTE_MS;
    expect(dueAt({ everyMs: HOUR_MS }, START, late)).toBe(late);
    expect(dueAt({ everyMs: HOUR_MS }, late, late + MINUTE_MS)).toBeNull();
  });

  it('follows a cron expression in its time zone, across the change to summer time', () => {
    const schedule: Schedule = { cron: '30 9 * * *', timezone: 'Europe/Berlin' };
    // 29 March 2026: from UTC+1 to UTC+2.
    const before = nextScanAt(schedule, Date.UTC(2026, 2, 28, 0)) ?? 0;
    expect(new Date(before).toISOString()).toBe('2026-03-28T08:30:00.000Z');
    expect(new Date(nextScanAt(schedule, before) ?? 0).toISOString()).toBe('2026-03-29T07:30:00.000Z');
    expect(dueAt(schedule, before, Date.UTC(2026, 2, 29, 7, 29, 59))).toBeNull();
    expect(dueAt(schedule, before, Date.UTC(2026, 2, 29, 7, 30, 1))).toBe(Date.UTC(2026, 2, 29, 7, 30, 1));
    expect(scansOf({ cron: '15 * * * *', timezone: 'UTC' }, Array(600).fill(5_000)).length).toBe(11);
  });
});
