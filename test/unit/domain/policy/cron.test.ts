import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nextScanAt } from '../../../../shared/app/schedule/scan-schedule.ts';
import { startsOf } from '../../../../shared/domain/policy/change-windows.ts';
import { MINUTE, type OracleSpec, startsFrom } from '../../../support/window-oracle.ts';
import { accepted, withDefaults } from './support.ts';

const DAY_MIN = 24 * 60;
const FROM = {
  'Europe/Berlin': { forward: Date.UTC(2026, 2, 28, 12), back: Date.UTC(2026, 9, 24, 12) },
  'America/New_York': { forward: Date.UTC(2026, 2, 7, 12), back: Date.UTC(2026, 9, 31, 12) },
} as const;

const cronOf = ({ minute, hour, date, day }: OracleSpec): string =>
  [minute, hour, date, null, day].map((field) => field?.join(',') ?? '*').join(' ');

/** The times that `schedule` fires within three days. */
function scans(spec: OracleSpec, from: number): number[] {
  const schedule = { cron: cronOf(spec), timezone: spec.timezone };
  const times: number[] = [];
  for (let at = nextScanAt(schedule, from - 1); at !== null && at < from + 3 * DAY_MIN * MINUTE; ) {
    times.push(at);
    at = nextScanAt(schedule, at);
  }
  return times;
}

function windows(spec: OracleSpec, from: number): number[] {
  const { kind, timezone, minute } = spec;
  // At most these starts are in three days.
  const most = 3 * 24 * minute.length;
  const starts = startsOf({ kind, timezone, cron: cronOf(spec), durationMs: MINUTE }, from - 1, most);
  return starts.filter((at) => at < from + 3 * DAY_MIN * MINUTE);
}

const iso = (times: readonly number[]): string[] => times.map((at) => new Date(at).toISOString());

describe('schedule and windows follow the same rules when the clocks change', () => {
  const uses = { schedule: scans, windows };
  const specs: readonly [string, Pick<OracleSpec, 'minute' | 'hour'>][] = [
    ['a time that is skipped or comes twice', { minute: [30], hour: [2] }],
    ['a list of hours around the change', { minute: [15], hour: [1, 2, 3] }],
    ['a list of minutes', { minute: [0, 30], hour: [2] }],
    ['every hour', { minute: [15], hour: null }],
    ['midnight', { minute: [0], hour: [0] }],
  ];
  for (const timezone of ['Europe/Berlin', 'America/New_York'] as const) {
    for (const turn of ['forward', 'back'] as const) {
      it.each(specs)(`${timezone}, clocks put ${turn}: %s`, (_name, fields) => {
        const spec = { kind: 'allow' as const, ...fields, date: null, day: null, durationMin: 1, timezone };
        const from = FROM[timezone][turn];
        const expected = iso(startsFrom(spec, from, 3 * DAY_MIN));
        expect(expected.length).toBeGreaterThan(2);
        for (const use of Object.values(uses)) expect(iso(use(spec, from))).toEqual(expected);
      });
    }
  }

  it('for example, 02:15 and 03:15 in Berlin', () => {
    const spec = {
      kind: 'allow' as const,
      minute: [15],
      hour: [2, 3],
      date: null,
      day: null,
      durationMin: 1,
      timezone: 'Europe/Berlin',
    };
    const of = (from: number) => iso(scans(spec, from)).slice(0, 2);
    expect(of(FROM['Europe/Berlin'].forward)).toEqual(['2026-03-29T01:00:00.000Z', '2026-03-29T01:15:00.000Z']);
    expect(of(FROM['Europe/Berlin'].back)).toEqual(['2026-10-25T00:15:00.000Z', '2026-10-25T02:15:00.000Z']);
  });

  it('because only one file uses the parser', () => {
    const root = resolve(import.meta.dirname, '../../../..');
    const users = globSync(['shared/**/*.ts', 'services/**/*.{ts,tsx}'], { cwd: root }).filter((file) =>
      /from 'croner'/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(users).toEqual(['shared/domain/cron.ts']);
  });
});

describe('day of month together with day of week', () => {
  it('matches if either field matches', () => {
    const spec = {
      kind: 'allow' as const,
      minute: [0],
      hour: [0],
      date: [1],
      day: [1],
      durationMin: 1,
      timezone: 'UTC',
    };
    const from = Date.UTC(2026, 5, 28);
    expect(iso(scans(spec, from))).toEqual(['2026-06-29T00:00:00.000Z']);
    expect(iso(scans(spec, from + 2 * DAY_MIN * MINUTE))).toEqual(['2026-07-01T00:00:00.000Z']);
  });

  const warned = (cron: string) => {
    const window = `windows: [{ kind: allow, cron: "${cron}", duration: 1h }]\n`;
    const policy = withDefaults(`${window}schedule: { cron: "${cron}" }\n`);
    return accepted(policy).warnings.map(({ path, severity, message }) => [
      path,
      severity,
      message.includes('Vixie cron'),
    ]);
  };

  it.each(['0 0 */2 * 1', '0 0 1 * */2', '0 0 */2 * */3', '0 0 */1 * MON', '0 0 */2,15 * 1-5'])(
    '%s means something else to Vixie cron: a warning where it stands',
    (cron) => {
      expect(warned(cron)).toEqual([
        ['windows[0].cron', 'warning', true],
        ['schedule.cron', 'warning', true],
      ]);
    },
  );

  it.each([
    '0 0 1 * 1',
    '0 0 */2 * *',
    '0 0 * * */2',
    '*/5 */2 * * 1-5',
    '0 0 */2 * +MON',
    '0 0 ? * */2',
    '0 0 1-31/2 * 1',
  ])('%s means the same to both', (cron) => {
    expect(warned(cron)).toEqual([]);
  });
});
