import { MalformedError } from '../domain/transparency/errors.ts';
import { parseVerifierKey, type VerifierKey } from '../domain/transparency/verifier-key.ts';
import type { Environment } from './config.ts';
import { ConfigError } from './config-error.ts';

/** How checkpoints of the transparency log are signed, kept and witnessed. */
export interface CheckpointEnv {
  /** `null`: checkpoints are not signed. */
  readonly key: KeyLocation | null;
  readonly archive: ArchiveLocation | null;
  readonly witnesses: readonly WitnessLocation[];
}

export type KeyLocation =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'kms'; readonly keyId: string };

interface ArchiveLocation {
  readonly bucket: string;
  /** Without slashes at its ends; empty: none. */
  readonly prefix: string;
  /** The id of the account that the bucket must belong to; `null`: not known. */
  readonly owner: string | null;
}

interface WitnessLocation {
  /** Of type `cosignature`. */
  readonly key: VerifierKey;
  /** The submission prefix. */
  readonly url: string;
}

const KEY = 'ROLLCALL_CHECKPOINT_KEY';
const ARCHIVE = 'ROLLCALL_CHECKPOINT_ARCHIVE';
const ARCHIVE_OWNER = 'ROLLCALL_CHECKPOINT_ARCHIVE_OWNER';
const WITNESSES = 'ROLLCALL_CHECKPOINT_WITNESSES';

/** [API_Sign, KeyId] */
const KMS_KEY = /^(?:arn:[a-z0-9-]+:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/|alias\/)?[A-Za-z0-9/_-]{1,256}$/;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Characters that need no escaping in a key of S3. */
const PREFIX = /^[A-Za-z0-9!_.*'()-]+(?:\/[A-Za-z0-9!_.*'()-]+)*$/;
/** `key@url`: a key ends with Base64, which contains no `@`. */
const WITNESS = /^([^@]+(?:@[^@]+)*)@(https?:\/\/.+)$/s;

/** @throws ConfigError that names the variable */
export function readCheckpointEnv(env: Environment): CheckpointEnv {
  // Deployment templates set a variable to an empty text instead of leaving it out.
  const given = (name: string): string | null => env[name]?.trim() || null;
  const key = given(KEY);
  const others = [ARCHIVE, WITNESSES].filter((name) => given(name) !== null);
  if (key === null && others.length > 0) {
    throw wrong(
      `${others.join(' and ')} ${others.length === 1 ? 'needs' : 'need'} ${KEY}: without a key no checkpoint is signed. Set ${KEY} too.`,
    );
  }
  const archive = given(ARCHIVE);
  const owner = given(ARCHIVE_OWNER);
  if (archive === null && owner !== null) throw wrong(`${ARCHIVE_OWNER} needs ${ARCHIVE}; set both or neither.`);
  return Object.freeze({
    key: key === null ? null : keyLocation(key),
    archive: archive === null ? null : archiveLocation(archive, owner),
    witnesses: witnessLocations(given(WITNESSES)),
  });
}

function keyLocation(text: string): KeyLocation {
  const [, keyId] = /^awskms:(.*)$/s.exec(text) ?? [];
  if (keyId !== undefined) {
    if (KMS_KEY.test(keyId)) return { kind: 'kms', keyId };
    throw unexpected(KEY, text, 'after awskms: the id or ARN of a KMS key, alias/NAME, or the ARN of an alias');
  }
  if (/^(arn|kms|alias)[:/]/.test(text)) {
    throw unexpected(KEY, text, 'the path of a key file, or a KMS key with awskms: before it');
  }
  return { kind: 'file', path: text };
}

function archiveLocation(text: string, owner: string | null): ArchiveLocation {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ?? [];
  const prefix = rest.replace(/\/$/, '');
  const isSafe = prefix === '' || (PREFIX.test(prefix) && !prefix.split('/').some((part) => /^\.+$/.test(part)));
  if (!BUCKET.test(bucket) || !isSafe) {
    throw unexpected(ARCHIVE, text, "s3://BUCKET or s3://BUCKET/PREFIX, of letters, digits and !_.*'()-");
  }
  if (owner !== null && !/^\d{12}$/.test(owner)) throw unexpected(ARCHIVE_OWNER, owner, 'an account id of 12 digits');
  return { bucket, prefix, owner };
}

function witnessLocations(text: string | null): readonly WitnessLocation[] {
  const found: WitnessLocation[] = [];
  for (const each of text?.split(',') ?? []) {
    const witness = witnessLocation(each.trim());
    // The name is what a checkpoint and the audit log call a witness.
    if (found.some(({ key }) => key.name === witness.key.name)) {
      throw wrong(`${WITNESSES} names ${JSON.stringify(witness.key.name)} twice; name each witness once.`);
    }
    found.push(witness);
  }
  return found;
}

const EXAMPLE = 'KEY@https://HOST/PREFIX, where KEY is the verifier key that the witness publishes (name+id+base64)';

function witnessLocation(text: string): WitnessLocation {
  const [, key = '', address = ''] = WITNESS.exec(text) ?? [];
  const url = URL.parse(address);
  if (url === null) throw unexpected(WITNESSES, text, `${EXAMPLE}, separated by commas`);
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !isLocal) {
    throw unexpected(WITNESSES, address, 'an https URL; http is accepted for this machine only');
  }
  if (url.username !== '' || url.password !== '') {
    // The value has a password, so it is not shown.
    throw wrong(`${WITNESSES}: the URL of ${url.host} has a user or a password; witnesses need none. Remove them.`);
  }
  if (url.search !== '' || url.hash !== '') throw unexpected(WITNESSES, address, 'a URL without "?" and "#"');
  return { key: witnessKey(key), url: address.replace(/\/+$/, '') };
}

function witnessKey(text: string): VerifierKey {
  const key = parse(text);
  if (key.type === 'cosignature') return key;
  const found = `the key ${JSON.stringify(key.name)} is of type ${key.type}, which signs logs`;
  throw wrong(`${WITNESSES}: ${found}; expected the key of a witness, for cosignature/v1 (type 0x04).`);
}

function parse(text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw wrong(`${WITNESSES}: ${error.message}. Expected ${EXAMPLE}.`);
  }
}

const wrong = (message: string): ConfigError => new ConfigError('Environment', message);

function unexpected(name: string, found: string, expected: string): ConfigError {
  const shown = found.length > 200 ? `${found.slice(0, 200)}…` : found;
  return wrong(`${name} is ${JSON.stringify(shown)}; expected ${expected}.`);
}
