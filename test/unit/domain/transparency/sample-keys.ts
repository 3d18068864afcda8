import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { NoteSigner } from '../../../../shared/domain/transparency/signed-note.ts';
import { type VerifierKey, verifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';

/** A key pair for tests, whose private half signs with plain Ed25519 or with ECDSA over SHA-256. */
export interface SampleKey {
  readonly key: VerifierKey;
  readonly signer: NoteSigner;
}

/** Every run of a test has the same keys, so that a failure can be repeated. @param seed one byte */
export function ed25519Key(name: string, seed: number): SampleKey {
  return ed25519FromSeed(name, new Uint8Array(32).fill(seed));
}

export function ed25519FromSeed(name: string, seed: Uint8Array): SampleKey {
  // PKCS #8 around a seed (RFC 8410, section 7).
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const secret = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = publicDer(secret).slice(-32);
  const key = verifierKey({ name, type: 'ed25519', publicKey });
  return {
    key,
    signer: { name, keyId: key.keyId, sign: async (message) => new Uint8Array(sign(null, message, secret)) },
  };
}

export function ecdsaKey(name: string, namedCurve = 'P-256'): SampleKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  const key = verifierKey({ name, type: 'ecdsa', publicKey: publicDer(privateKey) });
  return {
    key,
    signer: { name, keyId: key.keyId, sign: async (message) => new Uint8Array(sign('sha256', message, privateKey)) },
  };
}

function publicDer(secret: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(secret).export({ format: 'der', type: 'spki' }));
}
