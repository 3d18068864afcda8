import { describe, expect, test } from 'vitest';
import { oneLine, shorten, table } from '../../../services/cli/ui/table.ts';
import { ago, count, duration } from '../../../services/cli/ui/words.ts';

describe('tables', () => {
  const columns = [{ title: 'ID' }, { title: 'NAME', shrinks: true }, { title: 'N', align: 'right' as const }];
  const rows = [
    ['1', '日本語アカウント', '5'],
    ['22', 'a very long name of an account', '1,000'],
  ];

  test('align by terminal cells, wide characters counted as two', () => {
    expect(table(columns, rows, null)).toEqual([
      'ID  NAME                                N',
      '1   日本語アカウント                    5',
      '22  a very long name of an account  1,000',
    ]);
  });

  test('fit the terminal by shortening shrinkable columns', () => {
    const lines = table(columns, rows, 30);
    expect(lines).toEqual([
      'ID  NAME                     N',
      '1   日本語アカウント         5',
      '22  a very long name o…  1,000',
    ]);
  });

  test('never shorten ids, even on a narrow terminal', () => {
    expect(table(columns, rows, 5)[2]).toBe('22  a very …  1,000');
  });

  test('drop columns in their order, and name them, before the other columns become unreadable', () => {
    const wide = [
      { title: 'ACCOUNT' },
      { title: 'NAME', shrinks: true, dropOrder: 1 },
      { title: 'NOT BEFORE' },
      { title: 'REASON', shrinks: true, dropOrder: 2 },
    ];
    const row = ['111122223333', 'the account of the payments team', '', 'statusDiffers'];
    expect(table(wide, [row], 80)[0]).toBe('ACCOUNT       NAME                              NOT BEFORE  REASON');
    // An empty column is dropped without notice.
    expect(table(wide, [row], 45)).toEqual([
      'ACCOUNT       NAME              REASON',
      '111122223333  the account of …  statusDiffers',
    ]);
    expect(table(wide, [row], 40)).toEqual([
      'ACCOUNT       REASON',
      '111122223333  statusDiffers',
      '(too narrow for NAME; --json has all)',
    ]);
    expect(table(wide, [row], 20)[1]).toBe('111122223333');
  });

  test('external text cannot control the terminal', () => {
    expect(oneLine('a\u001b[31mb\r\nc\u2028d\u009be')).toBe('a [31mb c d e');
    expect(shorten('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3)).toBe('👩‍👩‍👧‍👦…');
  });
});

test('words', () => {
  expect([0, 999, 1_000, 59_940, 60_000, 3_599_000, 3_600_000, 172_800_000].map(duration)).toEqual([
    '0ms',
    '999ms',
    '1.0s',
    '59.9s',
    '1m 00s',
    '59m 59s',
    '1h 00m',
    '2d 0h',
  ]);
  expect([count(1, 'entry', 'entries'), count(1_234, 'entry', 'entries')]).toEqual(['1 entry', '1,234 entries']);
  expect(ago('2026-01-01T00:00:05Z', Date.parse('2026-01-01T00:00:00Z'))).toBe('in 5.0s');
});
