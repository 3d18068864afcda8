import { describe, expect, test } from 'vitest';
import {
  actorText,
  age,
  ago,
  count,
  duration,
  endText,
  instant,
  minute,
  percent,
  shortHash,
  shortId,
  upcoming,
} from '../../../services/cli/ui/words.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test('counts and percentages', () => {
  expect([count(1, 'entry', 'entries'), count(1_204, 'entry', 'entries')]).toEqual(['1 entry', '1,204 entries']);
  expect([percent(119, 120), percent(120, 120), percent(0, 5), percent(0, 0)]).toEqual(['99%', '100%', '0%', '–']);
  expect([percent(111, 114, 1), percent(106, 112, 1), percent(9_999, 10_000, 1), percent(95, 100, 1)]).toEqual([
    '97.3%',
    '94.6%',
    '99.9%',
    '95.0%',
  ]);
});

describe('times', () => {
  test('durations', () => {
    expect([0, 850, 2_149, 9_999, 47_900, 60_000, 65_000, HOUR + 5 * MINUTE, 2 * DAY].map(duration)).toEqual([
      '0ms',
      '850ms',
      '2.1s',
      '9.9s',
      '47s',
      '1m',
      '1m 5s',
      '1h 5m',
      '2d',
    ]);
  });

  test('ages', () => {
    expect([30_000, 4 * MINUTE + 59_000, 9 * HOUR + 4 * MINUTE, 26 * HOUR, 52 * HOUR].map(age)).toEqual([
      '30s',
      '4m',
      '9h 4m',
      '1d 2h',
      '2d 4h',
    ]);
    const now = Date.parse('2026-12-08T09:30:00Z');
    expect([ago('2026-12-08T09:26:00Z', now), ago('2026-12-08T09:30:05Z', now)]).toEqual(['4m ago', 'in 5s']);
  });

  test('points in time are in UTC, and days end at 24:00', () => {
    const now = Date.parse('2026-12-08T09:30:00Z');
    expect(instant('2026-12-09T06:12:59.999Z')).toBe('2026-12-09 06:12 UTC');
    expect(minute('2026-12-09T06:12:00Z')).toBe('2026-12-09 06:12');
    expect(upcoming('2026-12-09T06:12:00.000Z', now)).toBe('2026-12-09 06:12 UTC (in 20h 42m)');
    expect(upcoming('2026-12-08T06:12:00.000Z', now)).toBe('2026-12-08 06:12 UTC');
    expect(endText('2026-12-12T00:00:00.000Z')).toBe('the end of 2026-12-11 UTC');
    expect(endText('2026-12-11T18:00:00.000Z')).toBe('2026-12-11 18:00 UTC');
  });
});

test('ids are short, and different in their shown part', () => {
  expect(shortId('01KBXYZ0A1B2C3D4E5T7WK3M8P')).toBe('T7WK3M8P');
  expect(shortHash('f5685be84f9c0123456789')).toBe('f5685be84f9c');
});

test.each([
  ['arn:aws:iam::801877072919:user/ops', 'user/ops'],
  ['arn:aws:iam::801877072919:user/teams/finops/ops', 'user/ops'],
  ['arn:aws:sts::801877072919:assumed-role/SecurityAdmin/alice', 'role/SecurityAdmin/alice'],
  ['arn:aws-us-gov:sts::801877072919:assumed-role/A/b@c', 'role/A/b@c'],
  ['arn:aws:iam::801877072919:role/path/Deploy', 'role/Deploy'],
  ['arn:aws:iam::801877072919:root', 'root'],
  ['user:alice', 'user/alice'],
  ['token:grafana', 'token/grafana'],
  ['rollcall', 'rollcall'],
  ['unknown\u202e', 'unknown<U+202E>'],
])('the actor %s is shown as %s', (actor, shown) => {
  expect(actorText(actor)).toBe(shown);
});
