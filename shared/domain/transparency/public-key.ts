import { createPublicKey, type KeyObject } from 'node:crypto';
import { toBase64 } from './encoding.ts';
import type { VerifierKey } from './verifier-key.ts';

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

/** The public key in PEM. @returns `null` unless it is an Ed25519 or a P-256 key */
export function publicKeyInPem(pem: string): PublicKey | null {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return null;
  }
  return publicKeyOf(key);
}

/** What kind of key it is, for people: `RSA (2048 bits)`, `EC (secp384r1)`, `X25519`. */
export function keyKindOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {};
  const kind = asymmetricKeyType?.toUpperCase() ?? 'secret';
  if (modulusLength !== undefined) return `${kind} (${modulusLength} bits)`;
  return namedCurve === undefined ? kind : `${kind} (${namedCurve})`;
}

/** The prefix of the 32 bytes of an Ed25519 key in SPKI format (RFC 8410, section 4). */
const ED25519_SPKI = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/** In PEM format (SPKI), which OpenSSL and most programs read. */
export function publicKeyPem({ type, publicKey }: PublicKey): string {
  const spki = type === 'ecdsa' ? publicKey : new Uint8Array([...ED25519_SPKI, ...publicKey]);
  const lines = toBase64(spki).match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n');
}
