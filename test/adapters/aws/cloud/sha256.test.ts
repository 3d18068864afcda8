import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Sha256 } from '../../../../shared/adapters/aws/cloud/fast-sha256.ts';

const hex = async (hash: Sha256) => Buffer.from(await hash.digest()).toString('hex');
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

it('computes SHA-256 for every input type', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(bytes(200)), async (parts) => {
      const ours = new Sha256();
      const theirs = createHash('sha256');
      for (const part of parts) {
        ours.update(part);
        theirs.update(part);
      }
      expect(await hex(ours)).toBe(theirs.digest('hex'));
    }),
  );
});

it('computes HMAC-SHA-256 with a secret of any length', async () => {
  await fc.assert(
    fc.asyncProperty(bytes(200), bytes(300), async (secret, data) => {
      const ours = new Sha256(secret);
      ours.update(data);
      expect(await hex(ours)).toBe(createHmac('sha256', secret).update(data).digest('hex'));
    }),
  );
});

it('accepts strings, buffers and views, and starts over after reset', async () => {
  const expected = createHmac('sha256', 'clé').update('données').digest('hex');
  const whole = new TextEncoder().encode('--données--');
  const view = new DataView(whole.buffer, 2, whole.length - 4);
  for (const data of ['données', view, new TextEncoder().encode('données').buffer]) {
    const hash = new Sha256('clé');
    hash.update('something else');
    hash.reset();
    hash.update(data);
    expect(await hex(hash)).toBe(expected);
  }
});
