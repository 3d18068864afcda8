import { toUtf8 } from './encoding.ts';
import { MalformedError } from './errors.ts';
import type { NoteSigner, NoteVerifier } from './signed-note.ts';
import { signatureMatches, type VerifierKey, verifierKey } from './verifier-key.ts';

/*
 * C2SP tlog-cosignature for Ed25519 ("cosignature/v1"): a witness states that, at a time, this checkpoint was the largest consistent tree head that it
 * had seen of the log.
 */

const FORMAT = 'cosignature';
const TIME_BYTES = 8;
const ED25519_SIGNATURE_BYTES = 64;

/** Seconds since 1970 at which the witness signed ("Format" of the specification: `timestamped_signature`). */
export function cosignatureTime(signature: Uint8Array): number {
  if (signature.length !== TIME_BYTES + ED25519_SIGNATURE_BYTES) {
    throw new MalformedError(FORMAT, `it has ${signature.length} bytes, not ${TIME_BYTES + ED25519_SIGNATURE_BYTES}`);
  }
  const time = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0));
  // The specification lets verifiers reject times in the future; from here on they are not even exact.
  if (!Number.isSafeInteger(time)) throw new MalformedError(FORMAT, 'its time is above 2^53 − 1 seconds');
  return time;
}

/** Verifies the signatures of a witness. */
export function cosignatureVerifier(key: VerifierKey): NoteVerifier {
  const matches = signatureMatches(key);
  return {
    name: key.name,
    keyId: key.keyId,
    verify: (message, signature) =>
      matches(signedMessage(cosignatureTime(signature), message), signature.slice(TIME_BYTES)),
  };
}

interface Witness {
  readonly name: string;
  /** Of a key pair that signs nothing else: the signed message does not contain the name of the witness. */
  readonly publicKey: Uint8Array;
  /** Seconds since 1970. */
  readonly time: number;
  /** Signs with plain Ed25519. */
  readonly sign: NoteSigner['sign'];
}

/** Signs a checkpoint as a witness. */
export function cosigner({ name, publicKey, time, sign }: Witness): NoteSigner {
  if (!Number.isSafeInteger(time) || time < 0)
    throw new RangeError(`time ${time} is not a whole number of seconds since 1970`);
  const { keyId } = verifierKey({ name, type: 'cosignature', publicKey });
  return {
    name,
    keyId,
    async sign(message) {
      const signature = await sign(signedMessage(time, message));
      const timed = new Uint8Array(TIME_BYTES + signature.length);
      new DataView(timed.buffer).setBigUint64(0, BigInt(time));
      timed.set(signature, TIME_BYTES);
      return timed;
    },
  };
}

/** "Ed25519 signed message" of the specification. */
function signedMessage(time: number, checkpoint: Uint8Array): Uint8Array {
  const header = toUtf8(`cosignature/v1\ntime ${time}\n`, FORMAT);
  const message = new Uint8Array(header.length + checkpoint.length);
  message.set(header);
  message.set(checkpoint, header.length);
  return message;
}
