import { fromBase64 } from '../../../../shared/domain/transparency/encoding.ts';
import {
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
} from '../../../../shared/domain/transparency/verifier-key.ts';
import { EvidenceError, messageOf } from './finding.ts';

/** A public key; it verifies the checkpoints of every log that its owner signs. */
export type PublicKey = Pick<VerifierKey, 'type' | 'publicKey'>;

/** A key as an auditor got it: with the name of its log, or without. */
export interface GivenKey extends PublicKey {
  /** `null`: the text does not name a log. */
  readonly name: string | null;
}

const BEGIN = '-----BEGIN PUBLIC KEY-----';
const END = '-----END PUBLIC KEY-----';

/** The prefix of the 32 bytes of an Ed25519 key in SPKI format (RFC 8410, section 4). */
const ED25519_SPKI = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const ED25519_BYTES = 32;

/** Reads a verifier key (`name+id+key`) or a public key in PEM format. @throws EvidenceError */
export function readKey(text: string): GivenKey {
  const trimmed = text.trim();
  try {
    if (!trimmed.startsWith('-----')) return parseVerifierKey(trimmed);
    return { name: null, ...checked(readPem(trimmed)) };
  } catch (error) {
    throw new EvidenceError(
      `The public key cannot be read: ${messageOf(error)}. Expected a verifier key (name+id+key) or a PEM file that begins with ${BEGIN}.`,
    );
  }
}

function readPem(text: string): PublicKey {
  const [body, ...rest] = text.startsWith(BEGIN) ? text.slice(BEGIN.length).split(END) : [];
  if (body === undefined || rest.length !== 1) throw new Error('it is not a PEM file with one public key');
  const spki = fromBase64(body.replaceAll(/\s/g, ''), 'PEM file');
  const isEd25519 =
    spki.length === ED25519_SPKI.length + ED25519_BYTES && ED25519_SPKI.every((byte, at) => spki[at] === byte);
  return isEd25519 ? { type: 'ed25519', publicKey: spki.slice(-ED25519_BYTES) } : { type: 'ecdsa', publicKey: spki };
}

function checked(key: PublicKey): PublicKey {
  verifierKey({ name: 'any', ...key });
  return key;
}
