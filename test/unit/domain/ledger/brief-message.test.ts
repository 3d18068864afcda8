import { expect, test } from 'vitest';
import { briefMessage } from '../../../../shared/domain/ledger/brief-message.ts';
import { toIso } from '../../../../shared/domain/time.ts';

test('a message in a list has short hashes, and times to the minute', () => {
  const until = toIso(Date.UTC(2026, 11, 11, 6, 12, 30));
  const message = `plan ${'ab'.repeat(32)} approved until ${until}; /Canary suspended until ${until}: load test`;
  expect(briefMessage(message, 12)).toBe(
    'plan abababababab approved until 2026-12-11 06:12 UTC; /Canary suspended until 2026-12-11 06:12 UTC: load test',
  );
});

test('what is neither stays: numbers, dates, ids', () => {
  const message = '14 entries of 2026-12-11 by arn:aws:iam::123456789012:role/x, request 01JABCDEF';
  expect(briefMessage(message, 8)).toBe(message);
});
