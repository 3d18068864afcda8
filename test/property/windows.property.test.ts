import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileWindows, type WindowSpec } from '../../shared/domain/policy/change-windows.ts';
import { MINUTE, type OracleSpec, oracle } from '../support/window-oracle.ts';

/** Near these times, the clocks of a listed zone change, or a year ends. */
const DATES = [
  Date.UTC(2026, 2, 28, 12), // Berlin, 29 March
  Date.UTC(2026, 9, 24, 12), // Berlin, 25 October
  Date.UTC(2026, 2, 7, 12), // New York, 8 March
  Date.UTC(2026, 9, 31, 12), // New York, 1 November
  Date.UTC(2026, 3, 4, 0), // Lord Howe, half an hour, 5 April
  Date.UTC(2026, 9, 3, 0), // Lord Howe, 4 October
  Date.UTC(2026, 11, 30, 12), // the year's end
  Date.UTC(2028, 1, 28, 0), // a 29 February
  Date.UTC(2026, 5, 15, 0),
];
const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'];
const SPAN_MIN = 3 * 24 * 60;

const minute = fc.oneof(
  fc.constantFrom([0], [30], [59], [0, 30], [15]),
  fc.integer({ min: 0, max: 59 }).map((m) => [m]),
);
const hour = fc.oneof(
  fc.constant(null),
  fc.constantFrom([0], [1], [2], [3], [1, 2], [2, 3], [23], [9]),
  fc.integer({ min: 0, max: 23 }).map((h) => [h]),
);
const days = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 5 }),
);
const dates = fc.oneof(
  { weight: 5, arbitrary: fc.constant(null) },
  fc.uniqueArray(fc.constantFrom(1, 5, 8, 25, 29, 31), { minLength: 1, maxLength: 3 }),
);
const spec: fc.Arbitrary<OracleSpec> = fc.record({
  kind: fc.constantFrom('allow' as const, 'deny' as const),
  minute,
  hour,
  date: dates,
  day: days,
  durationMin: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constantFrom(60, 480, 1440, 2880, 4000)),
  timezone: fc.constantFrom(...ZONES),
});

function toSpec({ kind, minute: m, hour: h, date, day, durationMin, timezone }: OracleSpec): WindowSpec {
  const field = (values: readonly number[] | null): string => (values === null ? '*' : values.join(','));
  const cron = [field(m), field(h), field(date), '*', field(day)].join(' ');
  return { kind, cron, durationMs: durationMin * MINUTE, timezone };
}

describe('windows compared with an oracle that goes minute by minute', () => {
  it('agree on open times, the next opening and the closing', () => {
    fc.assert(
      fc.property(
        fc.array(spec, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...DATES),
        fc.integer({ min: 0, max: SPAN_MIN - 1 }),
        (specs, from, offset) => {
          const windows = compileWindows(specs.map(toSpec));
          const open = oracle(specs, from, SPAN_MIN);
          for (let i = 0; i < SPAN_MIN; i += 7) {
            const at = from + i * MINUTE;
            if (windows.isOpen(at) !== open[i]) expect.fail(`${new Date(at).toISOString()} is to be open: ${open[i]}`);
          }
          const at = from + offset * MINUTE;
          const fresh = compileWindows(specs.map(toSpec));
          const opens = open.indexOf(true, offset);
          const opening = fresh.nextOpening(at);
          if (opens === -1) expect(opening === null || opening >= from + SPAN_MIN * MINUTE).toBe(true);
          else expect(opening).toBe(from + opens * MINUTE);
          const closes = open[offset] === true ? open.indexOf(false, offset) : -1;
          const closing = fresh.closesAt(at);
          if (closes === -1)
            expect(closing === null || (open[offset] === true && closing >= from + SPAN_MIN * MINUTE)).toBe(true);
          else expect(closing).toBe(from + closes * MINUTE);
        },
      ),
      { numRuns: 25 },
    );
    // Takes seconds on an idle machine, and a minute on a busy one.
  }, 300_000);

  it('a moment within a minute is as open as the minute', () => {
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 59_999 }), (specs, ms) => {
        const at = Date.UTC(2026, 9, 25, 0, 30);
        const windows = compileWindows(specs.map(toSpec));
        expect(compileWindows(specs.map(toSpec)).isOpen(at + ms)).toBe(windows.isOpen(at));
      }),
      { numRuns: 20 },
    );
  });
});
