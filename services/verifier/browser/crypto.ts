import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 as noble } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/*
 * Replaces `shared/domain/crypto.ts` in the page. WebCrypto is not used: each of its calls is asynchronous, which is too slow for the hashes of a large
 * log, and pages that are opened as files do not have it in every browser.
 */

const encoder = new TextEncoder();

export function sha256(data: Uint8Array): Uint8Array {
  return noble(data);
}

export function writeSha256(data: string | Uint8Array, target: Uint8Array, at: number): void {
  target.set(noble(typeof data === 'string' ? encoder.encode(data) : data), at);
}

export function sha256Hex(text: string): string {
  return bytesToHex(noble(encoder.encode(text)));
}

export class RunningSha256 {
  readonly #hash = noble.create();

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  hex(): string {
    return bytesToHex(this.#hash.digest());
  }
}

type MatchesSignature = (message: Uint8Array, signature: Uint8Array) => boolean;

const ED25519_SIGNATURE_BYTES = 64;

export function ed25519Signatures(publicKey: Uint8Array): MatchesSignature {
  return (message, signature) =>
    signature.length === ED25519_SIGNATURE_BYTES && ed25519.verify(signature, message, publicKey, { zip215: false });
}

/** The prefix of the uncompressed point of a P-256 key in SPKI format (RFC 5480). */
const P256_SPKI = [
  ...[0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  ...[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00],
];
const POINT_BYTES = 65;

export function p256Signatures(spki: Uint8Array): MatchesSignature | null {
  const point = spki.slice(P256_SPKI.length);
  const hasPrefix = P256_SPKI.every((byte, at) => spki[at] === byte);
  if (!hasPrefix || point.length !== POINT_BYTES || !p256.utils.isValidPublicKey(point, false)) return null;
  return (message, signature) => {
    try {
      return p256.verify(signature, message, point, { format: 'der', lowS: false });
    } catch {
      // The signature is not in DER encoding.
      return false;
    }
  };
}

export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function bytesOfBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
