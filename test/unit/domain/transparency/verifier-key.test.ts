import { describe, expect, it } from 'vitest';
import { MalformedError } from '../../../../shared/domain/transparency/errors.ts';
import {
  parseVerifierKey,
  verifierKey,
  writeVerifierKey,
} from '../../../../shared/domain/transparency/verifier-key.ts';
import { ENOCH, FOO, PETER, PIXEL, REKOR, SUMDB } from './published-notes.ts';
import { ecdsaKey } from './sample-keys.ts';

describe('a verifier key', () => {
  it.each([PETER, ENOCH, SUMDB, FOO, REKOR, PIXEL])('%s is read, and written as it was', (text) => {
    expect(writeVerifierKey(parseVerifierKey(text))).toBe(text);
  });

  it('is refused with any part missing or any character changed', () => {
    for (let from = 0; from <= PETER.length; from += 1) {
      for (let to = from; to <= PETER.length; to += 1) {
        if (to - from < PETER.length) expect(() => parseVerifierKey(PETER.slice(from, to))).toThrow(MalformedError);
      }
      if (from < PETER.length) {
        const next = String.fromCharCode(PETER.charCodeAt(from) + 1);
        expect(() => parseVerifierKey(PETER.slice(0, from) + next + PETER.slice(from + 1))).toThrow(MalformedError);
      }
    }
  });

  it.each([
    ['PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==', 'not standard Base64'],
    ['PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'its type 0x65 is not supported'],
    [PETER.replace('c74f20a3', 'c74f20a4'), 'its ID is c74f20a4, but the ID of this name and key is c74f20a3'],
    [PETER.replace('c74f20a3', 'C74F20A3'), 'it is not a name, 8 hexadecimal digits and a key'],
    [PETER.replace('PeterNeumann', 'Peter Neumann'), 'a key name is not empty and has no spaces'],
    [PETER.replace('PeterNeumann', ''), 'a key name is not empty'],
    [`${PETER}\n`, 'not standard Base64'],
    ['a+00000000+', 'there is no key after its ID'],
    ['a+00000000+AQ==', 'an Ed25519 key has 32 bytes, not 0'],
    ['a+00000000+AgEB', 'an ECDSA key is a P-256 public key'],
    ['a+00000000+BgEB', 'its type 0x06 is not supported'],
    [REKOR.replace('c0d23d6a', '00000000'), 'its ID is 00000000, but the ID of this name and key is c0d23d6a'],
  ])('%s is refused with a reason', (text, reason) => {
    expect(() => parseVerifierKey(text)).toThrow(`verifier key: ${reason}`);
  });

  it('of another curve, or with bytes after it, is refused', () => {
    expect(() => ecdsaKey('log', 'P-384')).toThrow('an ECDSA key is a P-256 public key');
    const { publicKey } = parseVerifierKey(REKOR);
    expect(() => verifierKey({ name: 'log', type: 'ecdsa', publicKey: new Uint8Array([...publicKey, 0]) })).toThrow(
      'P-256',
    );
  });

  it('has another ID under another name or type', () => {
    const { publicKey, keyId } = parseVerifierKey(PETER);
    expect(verifierKey({ name: 'PeterNeumann', type: 'ed25519', publicKey }).keyId).toBe(keyId);
    expect(verifierKey({ name: 'Peter', type: 'ed25519', publicKey }).keyId).not.toBe(keyId);
    expect(verifierKey({ name: 'PeterNeumann', type: 'cosignature', publicKey }).keyId).not.toBe(keyId);
  });
});
