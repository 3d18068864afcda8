import { expect, test } from 'vitest';
import { hashOfExample, POLICY_HASHES } from './policy-hashes.ts';

test.each(POLICY_HASHES)('the example policy %s has the hash of version 0.1.0', (name, hash) => {
  expect(hashOfExample(name)).toBe(hash);
});
