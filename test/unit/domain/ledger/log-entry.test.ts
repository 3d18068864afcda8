import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { logEntry, writeLogLeaf } from '../../../../shared/domain/ledger/log-entry.ts';
import { leafHash } from '../../../../shared/domain/transparency/hash.ts';

const HASH = 'ab'.repeat(32);

test('a log entry is four lines, which an auditor can write without Rollcall', () => {
  const bytes = logEntry('123456789012', { seq: 14, hash: HASH });
  expect(new TextDecoder().decode(bytes)).toBe(`rollcall-entry/v1\n123456789012\n14\n${HASH}\n`);
});

test('its leaf is the SHA-256 hash of a zero byte and these lines', () => {
  const hash = createHash('sha256').update(`\0rollcall-entry/v1\norganization\n1\n${HASH}\n`).digest();
  expect(Buffer.from(leafHash(logEntry('organization', { seq: 1, hash: HASH })))).toEqual(hash);
  const written = Buffer.alloc(34);
  writeLogLeaf('organization', { seq: 1, hash: HASH }, written, 1);
  expect(written).toEqual(Buffer.concat([Buffer.alloc(1), hash, Buffer.alloc(1)]));
});
