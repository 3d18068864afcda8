import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  GetPublicKeyCommand,
  type GetPublicKeyCommandOutput,
  KMSClient,
  type KMSClientConfig,
  SignCommand,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms';
import type { Network } from '../../../domain/network.ts';
import { type PublicKey, publicKeyOf } from '../../../domain/transparency/public-key.ts';
import { signatureMatches, verifierKey } from '../../../domain/transparency/verifier-key.ts';
import { type CheckpointSigner, SignerError } from '../../../ports/checkpoint-signer.ts';
import { StoreError } from '../../../ports/store-error.ts';
import { clientSettings } from '../client-settings.ts';
import { withCompleteAnswers } from '../complete-answers.ts';
import { createStoreRetry, type RetryOptions } from '../store-retry.ts';
import { signerError } from './errors.ts';

export interface KmsSignerOptions extends RetryOptions {
  /** Key id, key ARN, `alias/NAME` or alias ARN. */
  readonly keyId: string;
  /** Default: direct connections. */
  readonly network?: Network;
  /** Overrides of the SDK's own settings. */
  readonly kms?: KMSClientConfig;
}

const CONNECT_MS = 2_000;
const REQUEST_MS = 5_000;
/** Few retries, because maintenance signs again a minute later. */
const MAX_RETRIES = 2;

/** The key specifications that checkpoints can be signed with, and how [API_Sign, SigningAlgorithm and MessageType]. */
const ALGORITHMS: Readonly<Record<string, SigningAlgorithmSpec>> = {
  ECC_NIST_EDWARDS25519: 'ED25519_SHA_512',
  ECC_NIST_P256: 'ECDSA_SHA_256',
};

interface OpenKey {
  /** The ARN: an alias could be moved to another key between two calls. */
  readonly arn: string;
  readonly algorithm: SigningAlgorithmSpec;
  readonly publicKey: PublicKey;
  readonly matches: (message: Uint8Array, signature: Uint8Array) => boolean;
}

/** Signs with a key in AWS KMS. Opens no connection yet. */
export function kmsSigner(options: KmsSignerOptions): CheckpointSigner {
  const client = withCompleteAnswers(
    'kms',
    new KMSClient({
      ...clientSettings(CONNECT_MS, REQUEST_MS, options.network),
      ...regionOf(options.keyId),
      ...options.kms,
    }),
  );
  return new KmsSigner(client, options);
}

class KmsSigner implements CheckpointSigner {
  readonly #client: KMSClient;
  readonly #keyId: string;
  readonly #retry: ReturnType<typeof createStoreRetry>;
  #known: Promise<OpenKey> | null = null;

  constructor(client: KMSClient, { keyId, clock, random }: KmsSignerOptions) {
    this.#client = client;
    this.#keyId = keyId;
    this.#retry = createStoreRetry({ clock, random, maxRetries: MAX_RETRIES });
  }

  async open(): Promise<PublicKey> {
    return (await this.#key()).publicKey;
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    const { arn, algorithm, matches } = await this.#key();
    const command = new SignCommand({
      KeyId: arn,
      Message: message,
      MessageType: 'RAW',
      SigningAlgorithm: algorithm,
    });
    const { Signature = new Uint8Array() } = await this.#calling('Sign', () => this.#client.send(command));
    const signature = new Uint8Array(Signature);
    if (matches(message, signature)) return signature;
    const found = 'KMS returned a signature that does not match the public key of this key';
    throw new SignerError(
      'unavailable',
      `${nameOf(this.#keyId)}: ${found}; nothing was signed. Rollcall tries again later.`,
    );
  }

  close(): void {
    this.#client.destroy();
  }

  #key(): Promise<OpenKey> {
    this.#known ??= this.#open().catch((error: unknown) => {
      this.#known = null;
      throw error;
    });
    return this.#known;
  }

  async #open(): Promise<OpenKey> {
    const command = new GetPublicKeyCommand({ KeyId: this.#keyId });
    return openKey(this.#keyId, await this.#calling('GetPublicKey', () => this.#client.send(command)));
  }

  async #calling<T>(operation: string, call: () => Promise<T>): Promise<T> {
    try {
      return await this.#retry.run(nameOf(this.#keyId), operation, call);
    } catch (error) {
      throw error instanceof StoreError ? signerError(error) : error;
    }
  }
}

function openKey(keyId: string, answer: GetPublicKeyCommandOutput): OpenKey {
  const { KeyId: arn = keyId, KeySpec = '', KeyUsage = '', PublicKey: der = new Uint8Array() } = answer;
  const algorithm = ALGORITHMS[KeySpec];
  if (KeyUsage !== 'SIGN_VERIFY' || algorithm === undefined) {
    const found = `found a key for ${KeyUsage} with the specification ${KeySpec}`;
    const expected = `expected SIGN_VERIFY with ${Object.keys(ALGORITHMS).join(' or ')}`;
    throw new SignerError('invalid', `${nameOf(keyId)}: ${found}, ${expected}. ${CREATE}`);
  }
  const publicKey = decode(der);
  if (publicKey?.type !== (algorithm === 'ECDSA_SHA_256' ? 'ecdsa' : 'ed25519')) {
    const found = `KMS returned a public key that is not of the specification ${KeySpec}`;
    throw new SignerError('unavailable', `${nameOf(keyId)}: ${found}. Rollcall tries again later.`);
  }
  const matches = signatureMatches(verifierKey({ name: 'checkpoint-key', ...publicKey }));
  return { arn, algorithm, publicKey, matches };
}

const CREATE =
  'Create one with: aws kms create-key --key-usage SIGN_VERIFY --key-spec ECC_NIST_EDWARDS25519 (or ECC_NIST_P256)';

function decode(der: Uint8Array): PublicKey | null {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  } catch {
    return null; // OpenSSL throws for bytes that are not a key
  }
  return publicKeyOf(key);
}

const nameOf = (keyId: string): string => `KMS key ${keyId}`;

/** KMS finds a key only in the key's own Region, which an ARN names. */
function regionOf(keyId: string): { readonly region?: string } {
  const region = /^arn:[^:]+:kms:([a-z0-9-]+):/.exec(keyId)?.[1];
  return region === undefined ? {} : { region };
}
