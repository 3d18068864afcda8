import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as page from '../../../../services/verifier/browser/crypto.ts';
import * as node from '../../../../shared/domain/crypto.ts';

/** Everything that the module of the domain has. A class with private fields is compared by its methods. */
type Crypto = Omit<typeof node, 'RunningSha256'> & {
  readonly RunningSha256: new () => Pick<node.RunningSha256, 'add' | 'hex'>;
};

const BOTH: readonly (readonly [string, Crypto])[] = [
  ['node', node],
  ['page', page],
];

describe.each(BOTH)('the hashes and signatures of %s', (_, crypto) => {
  test('agree with those of Node', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'grapheme' }), (bytes, text) => {
        expect(crypto.sha256(bytes)).toEqual(node.sha256(bytes));
        expect(crypto.sha256Hex(text)).toBe(node.sha256Hex(text));
        expect(crypto.base64Of(bytes)).toBe(node.base64Of(bytes));
        expect(crypto.bytesOfBase64(node.base64Of(bytes))).toEqual(bytes);
        for (const data of [bytes, text]) {
          const [written, expected] = [new Uint8Array(40), new Uint8Array(40)];
          crypto.writeSha256(data, written, 5);
          expected.set(typeof data === 'string' ? Buffer.from(crypto.sha256Hex(data), 'hex') : node.sha256(data), 5);
          expect(written).toEqual(expected);
        }
        const sum = new crypto.RunningSha256();
        for (const part of [bytes.subarray(0, 7), bytes.subarray(7)]) sum.add(part);
        expect(sum.hex()).toBe(Buffer.from(node.sha256(bytes)).toString('hex'));
      }),
    );
  });

  test('verify Ed25519, and refuse any change', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const key = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })).slice(-32);
    const message = new TextEncoder().encode('message');
    const signature = new Uint8Array(sign(null, message, privateKey));
    const matches = crypto.ed25519Signatures(key);
    expect(matches(message, signature)).toBe(true);
    expect(matches(message.slice(1), signature)).toBe(false);
    expect(matches(message, signature.slice(1))).toBe(false);
    expect(matches(message, signature.with(3, (signature[3] ?? 0) ^ 1))).toBe(false);
  });

  test('verify P-256 in DER encoding, high s included, and refuse any change', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
    const matches = crypto.p256Signatures(spki) ?? expect.fail('the key is valid');
    const message = new TextEncoder().encode('message');
    for (let round = 0; round < 16; round += 1) {
      const signature = new Uint8Array(sign('sha256', message, privateKey));
      expect(matches(message, signature)).toBe(true);
      expect(matches(message.slice(1), signature)).toBe(false);
      expect(matches(message, signature.slice(1))).toBe(false);
    }
    expect(crypto.p256Signatures(spki.slice(1))).toBeNull();
    expect(crypto.p256Signatures(spki.with(40, (spki[40] ?? 0) ^ 1))).toBeNull();
    const other = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey;
    expect(crypto.p256Signatures(new Uint8Array(other.export({ format: 'der', type: 'spki' })))).toBeNull();
  });
});
