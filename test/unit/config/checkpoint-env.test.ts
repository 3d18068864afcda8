import { describe, expect, it } from 'vitest';
import { readCheckpointEnv } from '../../../shared/config/checkpoint-env.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { verifierKey, writeVerifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import { ed25519Key } from '../domain/transparency/sample-keys.ts';

const { publicKey } = ed25519Key('w', 1).key;
const W1 = verifierKey({ name: 'witness.example/w1', type: 'cosignature', publicKey });
const W2 = verifierKey({ name: 'me@witness.example', type: 'cosignature', publicKey });
const [w1, w2] = [W1, W2].map(writeVerifierKey);
const KEY = { ROLLCALL_CHECKPOINT_KEY: 'checkpoint.pem' };

function refusal(env: Readonly<Record<string, string>>): string {
  try {
    readCheckpointEnv(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('the settings of checkpoints', () => {
  it('are off by default, also if a template sets the variables to an empty text', () => {
    const off = { key: null, archive: null, witnesses: [] };
    expect(readCheckpointEnv({})).toEqual(off);
    expect(
      readCheckpointEnv({
        ROLLCALL_CHECKPOINT_KEY: '',
        ROLLCALL_CHECKPOINT_ARCHIVE: '',
        ROLLCALL_CHECKPOINT_ARCHIVE_OWNER: ' ',
        ROLLCALL_CHECKPOINT_WITNESSES: '',
      }),
    ).toEqual(off);
  });

  it.each([
    'awskms:1234abcd-12ab-34cd-56ef-1234567890ab',
    'awskms:mrk-1234abcd12ab34cd56ef1234567890ab',
    'awskms:arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    'awskms:alias/rollcall/prod',
    'awskms:arn:aws:kms:eu-central-1:111122223333:alias/rollcall',
  ])('name a key in KMS: %s', (text) => {
    const { key } = readCheckpointEnv({ ROLLCALL_CHECKPOINT_KEY: text });
    expect(key).toEqual({ kind: 'kms', keyId: text.slice('awskms:'.length) });
  });

  it.each(['checkpoint.pem', '/etc/rollcall/key.pem', './a b.pem', 'C:\\keys\\a.pem'])('name a file: %s', (path) => {
    expect(readCheckpointEnv({ ROLLCALL_CHECKPOINT_KEY: path }).key).toEqual({ kind: 'file', path });
  });

  it.each([
    ['awskms:', /ROLLCALL_CHECKPOINT_KEY is "awskms:"; expected after awskms: the id or ARN/],
    ['awskms:a b', /expected after awskms:/],
    ['awskms:arn:aws:s3:::bucket', /expected after awskms:/],
    ['arn:aws:kms:eu-central-1:111122223333:key/x', /a KMS key with awskms: before it/],
    ['alias/rollcall', /a KMS key with awskms: before it/],
    ['kms:alias/rollcall', /a KMS key with awskms: before it/],
  ])('refuse the key %s', (text, message) => {
    expect(refusal({ ROLLCALL_CHECKPOINT_KEY: text })).toMatch(message);
  });

  it.each([
    ['s3://checkpoints', { bucket: 'checkpoints', prefix: '' }],
    ['s3://checkpoints/', { bucket: 'checkpoints', prefix: '' }],
    ['s3://checkpoints/audit', { bucket: 'checkpoints', prefix: 'audit' }],
    ['s3://my.bucket/a/b-c_1/', { bucket: 'my.bucket', prefix: 'a/b-c_1' }],
  ])('name an archive: %s', (text, expected) => {
    expect(readCheckpointEnv({ ...KEY, ROLLCALL_CHECKPOINT_ARCHIVE: text }).archive).toEqual({
      ...expected,
      owner: null,
    });
    const env = { ...KEY, ROLLCALL_CHECKPOINT_ARCHIVE: text, ROLLCALL_CHECKPOINT_ARCHIVE_OWNER: '111122223333' };
    expect(readCheckpointEnv(env).archive?.owner).toBe('111122223333');
  });

  it.each([
    'checkpoints',
    's3://',
    's3://UPPER',
    's3://a',
    's3://bucket//x',
    's3://bucket/../x',
    's3://bucket/a b',
    's3://bucket/ü',
    'https://bucket',
  ])('refuse the archive %s', (text) => {
    const message = refusal({ ...KEY, ROLLCALL_CHECKPOINT_ARCHIVE: text });
    expect(message).toContain(`ROLLCALL_CHECKPOINT_ARCHIVE is ${JSON.stringify(text)}; expected s3://BUCKET`);
  });

  it('name witnesses', () => {
    const text = `${w1}@https://witness.example/w1/, ${w2}@http://127.0.0.1:8080`;
    expect(readCheckpointEnv({ ...KEY, ROLLCALL_CHECKPOINT_WITNESSES: text }).witnesses).toEqual([
      { key: W1, url: 'https://witness.example/w1' },
      { key: W2, url: 'http://127.0.0.1:8080' },
    ]);
  });

  const log = writeVerifierKey(ed25519Key('rollcall/o-1/a', 1).key);
  it.each([
    ['https://witness.example', /is "https:\/\/witness\.example"; expected KEY@https:\/\/HOST\/PREFIX/],
    [`${w1}`, /expected KEY@https/],
    [`${w1}@https://w.example,`, /is ""; expected KEY@https/],
    [
      `${w1}@http://w.example`,
      /is "http:\/\/w\.example"; expected an https URL; http is accepted for this machine only/,
    ],
    [`${w1}@ftp://w.example`, /expected KEY@https/],
    [`${w1}@https://w.example?x=1`, /expected a URL without "\?" and "#"/],
    [`${w1?.replace(/.$/, 'x')}@https://w.example`, /verifier key: .* Expected KEY@https/],
    [`w+00000000+AAAA@https://w.example`, /verifier key: /],
    [`${log}@https://w.example`, /is of type ed25519, which signs logs; expected the key of a witness/],
    [`${w1}@https://a.example,${w1}@https://b.example`, /names "witness\.example\/w1" twice/],
  ])('refuse the witnesses %s', (text, message) => {
    const found = refusal({ ...KEY, ROLLCALL_CHECKPOINT_WITNESSES: text });
    expect(found).toMatch(message);
    expect(found).toContain('ROLLCALL_CHECKPOINT_WITNESSES');
  });

  it('show no password', () => {
    const message = refusal({ ...KEY, ROLLCALL_CHECKPOINT_WITNESSES: `${w1}@https://me:hunter2@w.example` });
    expect(message).toMatch(/the URL of w\.example has a user or a password/);
    expect(message).not.toContain('hunter2');
  });

  it.each([
    [{ ROLLCALL_CHECKPOINT_ARCHIVE: 's3://checkpoints' }, /^ROLLCALL_CHECKPOINT_ARCHIVE needs ROLLCALL_CHECKPOINT_KEY/],
    [{ ROLLCALL_CHECKPOINT_WITNESSES: `${w1}@https://w.example` }, /^ROLLCALL_CHECKPOINT_WITNESSES needs /],
    [{ ...KEY, ROLLCALL_CHECKPOINT_ARCHIVE_OWNER: '111122223333' }, /ARCHIVE_OWNER needs ROLLCALL_CHECKPOINT_ARCHIVE/],
    [
      { ...KEY, ROLLCALL_CHECKPOINT_ARCHIVE: 's3://checkpoints', ROLLCALL_CHECKPOINT_ARCHIVE_OWNER: '1' },
      /ROLLCALL_CHECKPOINT_ARCHIVE_OWNER is "1"; expected an account id of 12 digits/,
    ],
  ])('refuse %j', (env, message) => {
    expect(refusal(env)).toMatch(message);
  });
});
