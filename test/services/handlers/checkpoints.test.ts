import { generateKeyPairSync } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { checkpointInNote, openCheckpoint } from '../../../shared/domain/transparency/checkpoint.ts';
import { noteVerifier } from '../../../shared/domain/transparency/note-verifier.ts';
import { publicKeyOf } from '../../../shared/domain/transparency/public-key.ts';
import { verifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import { kmsServer } from '../../support/kms-server.ts';
import { addBucket, OWNER, objectLockServer } from '../../support/object-lock-server.ts';
import { functionsOf } from './functions.ts';
import { deploy } from './support.ts';

const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

it('the tick signs with KMS what the log has after a run, and keeps it in the bucket', async () => {
  const world = await deploy({ sandbox: { accounts: 4, drift: 0 } });
  const [kms, s3] = await Promise.all([kmsServer(), objectLockServer()]);
  Object.assign(process.env, { AWS_ENDPOINT_URL_KMS: kms.endpoint, AWS_ENDPOINT_URL_S3: s3.endpoint });
  onTestFinished(() => {
    delete process.env['AWS_ENDPOINT_URL_KMS'];
    delete process.env['AWS_ENDPOINT_URL_S3'];
    kms.close();
    s3.close();
  });
  const { privateKey: secret } = generateKeyPairSync('ed25519');
  kms.keys.set(ARN, { arn: ARN, spec: 'ECC_NIST_EDWARDS25519', usage: 'SIGN_VERIFY', secret });
  const { objects } = addBucket(s3, 'checkpoints');
  Object.assign(world.env, {
    ROLLCALL_CHECKPOINT_KEY: `awskms:${ARN}`,
    ROLLCALL_CHECKPOINT_ARCHIVE: 's3://checkpoints',
    ROLLCALL_CHECKPOINT_ARCHIVE_OWNER: OWNER,
  });
  world.writePolicy({});
  const { tick, scan } = functionsOf(world);
  await tick();
  await scan();
  world.clock.advance(600_000);
  await tick();
  const kept = [...objects].at(-1);
  if (kept === undefined) return expect.fail('nothing is kept');
  const [key, note] = kept;
  const { origin, size } = checkpointInNote(note);
  expect(key).toBe(`${origin}/${String(size).padStart(16, '0')}.txt`);
  const publicKey = publicKeyOf(secret) ?? expect.fail('no public key');
  expect(openCheckpoint(note, { origin, log: [noteVerifier(verifierKey({ name: origin, ...publicKey }))] }).size).toBe(
    size,
  );
  const last = kms.calls.length;
  world.clock.advance(60_000);
  await tick();
  // Nothing has been added to the log but the entry of the checkpoint itself.
  expect(kms.calls).toHaveLength(last);
});

it('a wrong variable stops only the log, and the error names it', async () => {
  const world = await deploy({ sandbox: { accounts: 4, drift: 0 } });
  world.env['ROLLCALL_CHECKPOINT_KEY'] = 'awskms:';
  world.writePolicy({});
  const { tick, scan } = functionsOf(world);
  await expect(tick()).rejects.toThrow(/ROLLCALL_CHECKPOINT_KEY is "awskms:"/);
  expect(await scan()).toHaveLength(1);
});
