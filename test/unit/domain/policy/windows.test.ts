import { describe, expect, it } from 'vitest';
import { compilePolicy, policyWarnings } from '../../../../shared/domain/policy/index.ts';
import { accepted, account, compiled, findingsOf, NOW, withDefaults } from './support.ts';

const policy = (...windows: readonly string[]): string =>
  withDefaults(`windows:\n${windows.map((window) => `  - ${window}\n`).join('')}`);
const at = (iso: string): number => Date.parse(iso);
const iso = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());

const OFFICE = '{ kind: allow, cron: "0 9 * * 1-5", duration: 8h, timezone: Europe/Berlin }';

describe('change windows of a policy', () => {
  it('without windows, every time is open', () => {
    const { windows } = compiled(withDefaults(''));
    expect([windows.isOpen(NOW), windows.nextOpening(NOW), windows.closesAt(NOW)]).toEqual([true, NOW, null]);
    expect(compiled(withDefaults('windows: []\n')).windows.isOpen(NOW)).toBe(true);
  });

  it('opens and closes by local time, in winter and summer', () => {
    const { windows } = compiled(policy(OFFICE));
    // Sunday, 22 November 2026.
    expect(windows.isOpen(NOW)).toBe(false);
    expect(iso(windows.nextOpening(NOW))).toBe('2026-11-23T08:00:00.000Z');
    expect(iso(windows.closesAt(at('2026-11-23T08:00:00Z')))).toBe('2026-11-23T16:00:00.000Z');
    expect(windows.isOpen(at('2026-11-23T15:59:59.999Z'))).toBe(true);
    expect(windows.isOpen(at('2026-11-23T16:00:00Z'))).toBe(false);
    expect(iso(windows.nextOpening(at('2027-06-01T00:00:00Z')))).toBe('2027-06-01T07:00:00.000Z');
    expect(windows.closesAt(NOW)).toBeNull();
  });

  it('deny wins; with only deny windows, all other times are open', () => {
    const freeze = '{ kind: deny, cron: "0 0 24 12 *", duration: 10d }';
    const both = compiled(policy(OFFICE, freeze)).windows;
    expect(iso(both.closesAt(at('2026-12-23T09:00:00Z')))).toBe('2026-12-23T16:00:00.000Z');
    expect(both.isOpen(at('2026-12-28T10:00:00Z'))).toBe(false);
    expect(iso(both.nextOpening(at('2026-12-24T10:00:00Z')))).toBe('2027-01-04T08:00:00.000Z');
    const only = compiled(policy(freeze)).windows;
    expect(only.isOpen(NOW)).toBe(true);
    expect(iso(only.closesAt(NOW))).toBe('2026-12-24T00:00:00.000Z');
    expect(iso(only.nextOpening(at('2026-12-31T23:59:59Z')))).toBe('2027-01-03T00:00:00.000Z');
  });

  it('windows that touch or overlap are one', () => {
    const { windows } = compiled(
      policy(
        '{ kind: allow, cron: "0 8 * * *", duration: 2h }',
        '{ kind: allow, cron: "0 10 * * *", duration: 2h }',
        '{ kind: allow, cron: "30 11 * * *", duration: 1h }',
      ),
    );
    expect(iso(windows.closesAt(at('2026-11-22T08:00:00Z')))).toBe('2026-11-22T12:30:00.000Z');
  });

  it('a duration longer than the period never closes', () => {
    const { windows } = compiled(policy('{ kind: allow, cron: "0 * * * *", duration: 2h }'));
    expect([windows.isOpen(NOW), windows.closesAt(NOW)]).toEqual([true, null]);
  });

  it('answers correctly after the clock is set back', () => {
    const { windows } = compiled(policy(OFFICE));
    expect(windows.isOpen(at('2026-11-23T12:00:00Z'))).toBe(true);
    expect(windows.isOpen(at('2026-11-22T12:00:00Z'))).toBe(false);
  });
});

describe('windows that are wrong', () => {
  it.each([
    [
      'allowed only where it is denied',
      [OFFICE, '{ kind: deny, cron: "0 0 * * *", duration: 2d, timezone: Asia/Tokyo }'],
    ],
    ['denied every day', ['{ kind: deny, cron: "0 0 * * *", duration: 2d }']],
    ['denied every minute', ['{ kind: deny, cron: "* * * * *", duration: 2m }']],
    [
      'denied in halves',
      ['{ kind: deny, cron: "0 0 * * *", duration: 13h }', '{ kind: deny, cron: "0 12 * * *", duration: 13h }'],
    ],
    [
      'the same both ways',
      ['{ kind: allow, cron: "0 9 * * *", duration: 1h }', '{ kind: deny, cron: "0 9 * * *", duration: 1h }'],
    ],
  ])('%s: an error where the windows stand', (_, windows) => {
    expect(findingsOf(policy(...windows)).map((f) => [f.severity, f.path, f.line, f.message])).toEqual([
      ['error', 'windows', 4, 'contradiction: no change window ever opens, so Rollcall would never make a change'],
    ]);
  });

  const warned = (...windows: readonly string[]) =>
    accepted(policy(...windows)).warnings.map((f) => [f.path, f.line, f.message]);

  it('one allow window of several that never opens', () => {
    const night = '{ kind: allow, cron: "0 2 * * *", duration: 1h }';
    const noNights = '{ kind: deny, cron: "0 22 * * *", duration: 8h }';
    expect(warned(OFFICE, night, noNights)).toEqual([
      ['windows[1]', 5, 'this allow window never opens: deny windows cover all of it'],
    ]);
  });

  it('a deny window outside all allow windows', () => {
    expect(warned(OFFICE, '{ kind: deny, cron: "0 3 * * *", duration: 1h, timezone: Europe/Berlin }')).toEqual([
      ['windows[1]', 5, 'this deny window has no effect: it never meets an allow window'],
    ]);
  });

  it.each([
    ['a freeze once a year', [OFFICE, '{ kind: deny, cron: "0 0 24 12 *", duration: 10d }']],
    ['denied for most of the day', ['{ kind: deny, cron: "0 0 * * *", duration: 23h }']],
    ['denied through a whole month', ['{ kind: deny, cron: "* * * 11 *", duration: 2m }']],
    ['one on 29 February', ['{ kind: allow, cron: "0 0 29 2 *", duration: 1d }']],
  ])('nothing is said of %s', (_, windows) => {
    expect(warned(...windows)).toEqual([]);
  });

  it('the check with the organization reports the same', () => {
    const night = '{ kind: allow, cron: "0 2 * * *", duration: 1h }';
    const noNights = '{ kind: deny, cron: "0 22 * * *", duration: 8h }';
    const { policy: parsed, warnings } = accepted(policy(OFFICE, night, noNights));
    expect(policyWarnings(compilePolicy(parsed), [account()], NOW)).toEqual(warnings);
  });
});
