import { ed25519Signatures, type MatchesSignature, p256Signatures, sha256 } from '../crypto.ts';
import { fromBase64, toBase64, toUtf8 } from './encoding.ts';
import { MalformedError } from './errors.ts';
import { checkKeyName, keyIdText } from './signed-note.ts';

/**
 * The types of signatures that are verified here, with the byte that C2SP signed-note, "Signature types", assigns to each. `ecdsa` is for keys in AWS KMS,
 * `cosignature` for witnesses.
 */
const SIGNATURE_TYPES = { ed25519: 0x01, ecdsa: 0x02, cosignature: 0x04 } as const;
type SignatureType = keyof typeof SIGNATURE_TYPES;

export interface VerifierKey {
  readonly name: string;
  readonly type: SignatureType;
  readonly keyId: number;
  /** `ed25519` and `cosignature`: 32 bytes (RFC 8032). `ecdsa`: the DER encoding in SPKI format. */
  readonly publicKey: Uint8Array;
}

const FORMAT = 'verifier key';
const ED25519_BYTES = 32;

/**
 * A key with its ID.
 * @throws MalformedError if the name or the public key is not valid
 */
export function verifierKey({ name, type, publicKey }: Omit<VerifierKey, 'keyId'>): VerifierKey {
  checkKeyName(name, FORMAT);
  signaturesOf(type, publicKey);
  return { name, type, keyId: keyIdOf(name, type, publicKey), publicKey };
}

/** `name+ID+Base64(type, public key)` (C2SP signed-note, "Verifier keys"). */
export function writeVerifierKey({ name, type, keyId, publicKey }: VerifierKey): string {
  return `${name}+${keyIdText(keyId)}+${toBase64(typed(type, publicKey))}`;
}

/** @throws MalformedError if it is not a key, its ID is wrong, or its type is unknown */
export function parseVerifierKey(text: string): VerifierKey {
  // The Base64 part may contain more plus signs.
  const [, name, id, encoded] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/su.exec(text) ?? [];
  if (name === undefined || id === undefined || encoded === undefined) {
    // Without the text: it could be a private key, given by mistake.
    throw new MalformedError(FORMAT, 'it is not a name, 8 hexadecimal digits and a key, separated by "+"');
  }
  const [byte, ...material] = fromBase64(encoded, FORMAT);
  if (byte === undefined) throw new MalformedError(FORMAT, 'there is no key after its ID');
  const type = typeOf(byte);
  if (type === undefined)
    throw new MalformedError(FORMAT, `its type 0x${byte.toString(16).padStart(2, '0')} is not supported`);
  const key = verifierKey({ name, type, publicKey: new Uint8Array(material) });
  const expected = keyIdText(key.keyId);
  if (id !== expected)
    throw new MalformedError(FORMAT, `its ID is ${id}, but the ID of this name and key is ${expected}`);
  return key;
}

/** Whether the signature is the key's over the message: plain Ed25519 (RFC 8032), or ECDSA over SHA-256 in DER encoding. */
export function signatureMatches({ type, publicKey }: VerifierKey): MatchesSignature {
  return signaturesOf(type, publicKey);
}

/** C2SP signed-note, "Signatures", and for ECDSA "Signature types": its ID is over the public key alone. */
function keyIdOf(name: string, type: SignatureType, publicKey: Uint8Array): number {
  const named = [...toUtf8(`${name}\n`, FORMAT), ...typed(type, publicKey)];
  const hash = sha256(type === 'ecdsa' ? publicKey : new Uint8Array(named));
  return new DataView(hash.buffer).getUint32(0);
}

function typed(type: SignatureType, publicKey: Uint8Array): Uint8Array {
  return new Uint8Array([SIGNATURE_TYPES[type], ...publicKey]);
}

function typeOf(byte: number): SignatureType | undefined {
  if (byte === SIGNATURE_TYPES.ed25519) return 'ed25519';
  if (byte === SIGNATURE_TYPES.ecdsa) return 'ecdsa';
  return byte === SIGNATURE_TYPES.cosignature ? 'cosignature' : undefined;
}

/** @throws MalformedError for an invalid key */
function signaturesOf(type: SignatureType, publicKey: Uint8Array): MatchesSignature {
  if (type === 'ecdsa') return p256Key(publicKey);
  if (publicKey.length === ED25519_BYTES) return ed25519Signatures(publicKey);
  throw new MalformedError(FORMAT, `an Ed25519 key has ${ED25519_BYTES} bytes, not ${publicKey.length}`);
}

/** The specification also allows P-384 and P-521, and recommends to support only what is used. */
function p256Key(spki: Uint8Array): MatchesSignature {
  const matches = p256Signatures(spki);
  if (matches !== null) return matches;
  throw new MalformedError(FORMAT, 'an ECDSA key is a P-256 public key in SPKI format, DER-encoded');
}
