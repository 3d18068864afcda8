import { expect, test } from 'vitest';
import { replacedText } from '../../../services/dashboard/browser/suspension-text.ts';

const NOW = Date.parse('2026-12-02T12:00:00.000Z');
const OTHER = {
  reason: 'migration',
  until: '2026-12-04T23:59:59.000Z',
  at: '2026-12-01T09:10:00.000Z',
  by: 'user:anna',
};

test('a suspension names the one that it replaces, with its end, its author and its reason', () => {
  expect(replacedText(OTHER, NOW)).toBe(
    ' It replaces a suspension until 4 Dec 2026, 23:59:59 UTC (set 1 Dec, 09:10 UTC by anna: "migration").',
  );
  expect(replacedText({ ...OTHER, until: null, reason: null }, NOW)).toBe(
    ' It replaces a suspension without an end (set 1 Dec, 09:10 UTC by anna).',
  );
  expect(replacedText(null, NOW)).toBe('');
});
