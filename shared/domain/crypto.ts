import { createHash, createPublicKey, hash, type KeyObject, verify } from 'node:crypto';

/*
 * Hashes, signatures and Base64 from Node. The auditor's page runs the same domain code in a browser: its build replaces this module
 * (services/verifier).
 */

const SHA256_BYTES = 32;

export function sha256(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(SHA256_BYTES);
  writeSha256(data, bytes, 0);
  return bytes;
}

/** Writes the SHA-256 hash of bytes, or of the UTF-8 bytes of a text, into `target` from index `at` on. `data` may be a part of `target`. */
export function writeSha256(data: string | Uint8Array, target: Uint8Array, at: number): void {
  // A text with one character a byte: Node makes it in a third of the time that a buffer takes.
  const text = hash('sha256', data, 'binary');
  for (let byte = 0; byte < SHA256_BYTES; byte += 1) target[at + byte] = text.charCodeAt(byte);
}

/** SHA-256 over the UTF-8 bytes of `text`, 64 lower-case hex digits. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

/** SHA-256 over bytes that arrive in pieces. */
export class RunningSha256 {
  readonly #hash = createHash('sha256');

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** 64 lower-case hex digits; call it once, after the last piece. */
  hex(): string {
    return this.#hash.digest('hex');
  }
}

export type MatchesSignature = (message: Uint8Array, signature: Uint8Array) => boolean;

/** Plain Ed25519 (RFC 8032). @param publicKey 32 bytes */
export function ed25519Signatures(publicKey: Uint8Array): MatchesSignature {
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return (message, signature) => verify(null, message, key, signature);
}

/** ECDSA over SHA-256 with P-256, signatures in DER encoding. @returns `null` unless `spki` is such a key in its only DER encoding */
export function p256Signatures(spki: Uint8Array): MatchesSignature | null {
  const key = readDer(spki);
  const canonical = key?.export({ format: 'der', type: 'spki' });
  if (key === null || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1' || canonical?.equals(spki) !== true)
    return null;
  return (message, signature) => verify('sha256', message, key, signature);
}

function readDer(der: Uint8Array): KeyObject | null {
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}

/** Standard Base64 with padding (RFC 4648, section 4). */
export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** Lenient: also accepts texts that {@link base64Of} does not give. */
export function bytesOfBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
