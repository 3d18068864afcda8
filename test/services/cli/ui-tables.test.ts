import { describe, expect, test } from 'vitest';
import { leastTableWidth, oneLine, table } from '../../../services/cli/ui/table.ts';
import { hang, shorten, shortenMiddle, wrap } from '../../../services/cli/ui/wrap.ts';

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

  test('fit the terminal by shortening names in the middle', () => {
    const lines = table(columns, rows, 30);
    expect(lines).toEqual([
      'ID  NAME                     N',
      '1   日本語アカウント         5',
      '22  a very long …ccount  1,000',
    ]);
  });

  test('never shorten ids, and names not below 15 characters, even on a narrow terminal', () => {
    expect(table(columns, rows, 5)[2]).toBe('22  a very lon…ount  1,000');
  });

  test('drop columns in their order before names become unreadable', () => {
    const wide = [
      { title: 'ACCOUNT' },
      { title: 'NAME', shrinks: true, dropOrder: 1 },
      { title: 'NOT BEFORE' },
      { title: 'RULE', shrinks: true, dropOrder: 2 },
    ];
    const row = ['111122223333', 'the account of the payments team', '', 'statusDiffers'];
    expect(table(wide, [row], 80)[0]).toBe('ACCOUNT       NAME                              NOT BEFORE  RULE');
    // An empty column is dropped first.
    expect(table(wide, [row], 44)).toEqual([
      'ACCOUNT       NAME             RULE',
      '111122223333  the accoun…team  statusDiffers',
    ]);
    expect(table(wide, [row], 40)).toEqual(['ACCOUNT       RULE', '111122223333  statusDiffers']);
    expect(table(wide, [row], 20)[1]).toBe('111122223333');
  });

  test('the last column wraps at words, under its own start', () => {
    const wrapping = [
      { title: 'TIME' },
      { title: 'ACCOUNT', shrinks: true, dropOrder: 1 },
      { title: 'EVENT', wraps: true },
    ];
    const row = [
      '09:26',
      'dev-checkout-003',
      'Drift detected: Compute Optimizer Active → Inactive, by role/Developer/bob',
    ];
    expect(table(wrapping, [row], 60)).toEqual([
      'TIME   ACCOUNT           EVENT',
      '09:26  dev-checkout-003  Drift detected: Compute Optimizer',
      '                         Active → Inactive, by',
      '                         role/Developer/bob',
    ]);
    expect(table(wrapping, [row], null)).toHaveLength(2);
  });

  test('the last column is shown below the others if they leave too little room for it', () => {
    const entries = [
      ['2026-12-01 09:41', 'prod-search-003', 'Drift detected: Automation Active → Inactive, by role/Developer/bob'],
    ];
    const titles = [{ title: 'TIME (UTC)' }, { title: 'ACCOUNT', shrinks: true }, { title: 'EVENT', wraps: true }];
    expect(table(titles, entries, 40)).toEqual([
      'TIME (UTC)        ACCOUNT          EVENT',
      '2026-12-01 09:41  prod-search-003',
      '  Drift detected: Automation Active →',
      '  Inactive, by role/Developer/bob',
    ]);
  });

  test('shortened columns keep the least width that they ask for', () => {
    const titles = [
      { title: 'NAME', shrinks: true },
      { title: 'CHANGE', shrinks: true, least: 24 },
    ];
    const cells = [['the account of the payments team', 'suspended until tomorrow: load test']];
    expect(leastTableWidth(titles, cells)).toBe(15 + 2 + 24);
    expect(table(titles, cells, 41)[1]).toBe('the accoun…team  suspended until …ad test');
  });

  test('an indented table without titles keeps to the width', () => {
    const lines = table(columns, rows, 30, { indent: 4, titles: false });
    expect(lines).toEqual(['    1   日本語アカ…ント      5', '    22  a very lon…ount  1,000']);
  });

  test('colour does not change the layout', () => {
    const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
    const [, line] = table([{ title: 'A', paint: red }, { title: 'B' }], [['x', 'y']], 60);
    expect(line).toBe('\u001b[31mx\u001b[39m  y');
  });

  test('external text cannot control the terminal', () => {
    expect(oneLine('a\u001b[31mb\r\nc\u2028d\u009be')).toBe('a [31mb c d e');
    expect(shorten('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3)).toBe('👩‍👩‍👧‍👦…');
  });
});

describe('wrapping', () => {
  test('breaks at words only, and keeps long ones whole', () => {
    expect(wrap('Fix the role, then: rollcall apply', 20)).toEqual(['Fix the role, then:', 'rollcall apply']);
    expect(wrap('a arn:aws:iam::123456789012:role/RollcallMember b', 10, 2)).toEqual([
      'a',
      '  arn:aws:iam::123456789012:role/RollcallMember',
      '  b',
    ]);
    expect(wrap('one two three', null)).toEqual(['one two three']);
  });

  test('text after a label continues under its own start, or under the given indent', () => {
    expect(hang('  x Member role  ', 'cannot be assumed in 3 of 5', 36)).toEqual([
      '  x Member role  cannot be assumed',
      '                 in 3 of 5',
    ]);
    expect(hang('! ', 'this plan changes 72 accounts', 20, 4)).toEqual(['! this plan changes', '    72 accounts']);
  });

  test('names are shortened in the middle', () => {
    expect(shortenMiddle('prod-checkout-service-002', 13)).toBe('prod-che…-002');
    expect(shortenMiddle('日本語アカウント', 9)).toBe('日本語…ト');
    expect(shortenMiddle('short', 15)).toBe('short');
  });
});
