import { createPublicKey, type KeyObject } from 'node:crypto';
import { publicKeyObject, type VerifierKey } from './verifier-key.ts';

export type PublicKey = Pick<VerifierKey, 'type' | 'publicKey'>;

/**
 * The public part of a key pair, as verifier keys contain it.
 * @param key public or private
 * @returns `null` unless it is an Ed25519 or a P-256 key
 */
export function publicKeyOf(key: KeyObject): PublicKey | null {
  const publicKey = key.type === 'public' ? key : createPublicKey(key);
  if (publicKey.asymmetricKeyType === 'ed25519') {
    const { x = '' } = publicKey.export({ format: 'jwk' });
    return { type: 'ed25519', publicKey: new Uint8Array(Buffer.from(x, 'base64url')) };
  }
  if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return null;
  return { type: 'ecdsa', publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })) };
}

/** What kind of key it is, for people: `RSA (2048 bits)`, `EC (secp384r1)`, `X25519`. */
export function keyKindOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {};
  const kind = asymmetricKeyType?.toUpperCase() ?? 'secret';
  if (modulusLength !== undefined) return `${kind} (${modulusLength} bits)`;
  return namedCurve === undefined ? kind : `${kind} (${namedCurve})`;
}

/** In PEM format (SPKI), which OpenSSL and most programs read. @throws MalformedError if the key is not valid */
export function publicKeyPem({ type, publicKey }: PublicKey): string {
  return String(publicKeyObject(type, publicKey).export({ format: 'pem', type: 'spki' }));
}
