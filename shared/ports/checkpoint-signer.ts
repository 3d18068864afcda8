import type { VerifierKey } from '../domain/transparency/verifier-key.ts';

/**
 * Signs checkpoints of the transparency log with a key that the store does not contain.
 *
 * Promises:
 * - A signature by `sign` matches the message and the public key of `open` (`signatureMatches`).
 * - The private key never appears in a result, an error or a log line.
 * - Between `open` and `close` it is always the same key, even if a file is replaced or an alias moved. A failed `open` is not remembered.
 * - The key is not changed or created, whatever fails.
 */
export interface CheckpointSigner {
  /**
   * The public part of the key. The caller gives it a name, because the name of a key of a log is the log's origin.
   * @throws SignerError
   */
  open(): Promise<Pick<VerifierKey, 'type' | 'publicKey'>>;

  /**
   * Plain Ed25519 (RFC 8032), or ECDSA over SHA-256 with P-256 in DER encoding.
   * @param message less than 4,096 bytes, the limit of AWS KMS
   * @throws SignerError
   */
  sign(message: Uint8Array): Promise<Uint8Array>;

  close(): void;
}

/**
 * The key cannot be used.
 * - `unavailable`: it may work later (throttling, no connection).
 * - `denied`: permission is missing.
 * - `invalid`: there is no such key, it is disabled, or it has another type, use or file permissions than required.
 */
export class SignerError extends Error {
  override readonly name = 'SignerError';
  readonly kind: 'unavailable' | 'denied' | 'invalid';

  /** @param message says which key, what was found, what was expected and what to do; without secrets */
  constructor(kind: SignerError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
