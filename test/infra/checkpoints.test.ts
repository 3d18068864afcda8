import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseTemplate } from '../../infra/organization/template-yaml.ts';
import { readCheckpointEnv } from '../../shared/config/checkpoint-env.ts';
import { actionsOf, policyOf, read, readTemplate, resourceOf } from './template.ts';

const FILE = 'infra/checkpoints.yml';
const keyPolicy = z.object({ KeyPolicy: z.unknown(), KeySpec: z.string(), KeyUsage: z.string() });
const key = resourceOf(FILE, 'CheckpointKey');
const { KeyPolicy, KeySpec, KeyUsage } = keyPolicy.parse(key.Properties);
const keyStatements = policyOf({ Type: 'policy', Properties: { PolicyDocument: KeyPolicy } });

const functions = z
  .object({ functions: z.record(z.string(), z.object({ environment: z.record(z.string(), z.unknown()).default({}) })) })
  .parse(parseTemplate('serverless.yml', read('serverless.yml'))).functions;

describe('the deployment of checkpoints', () => {
  it('creates nothing by default', () => {
    for (const [name, { Condition }] of Object.entries(readTemplate(FILE).Resources)) {
      expect([name, Condition]).toEqual([name, 'HasCheckpoints']);
    }
    expect(read('serverless.yml')).toMatch(/^ {4}checkpoints: none$/m);
  });

  it('lets the tick alone sign, only as checkpoints are signed', () => {
    expect([KeySpec, KeyUsage]).toEqual(['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY']);
    const signing = keyStatements.filter((each) => actionsOf([each]).some((action) => /^kms:(\*|Sign)$/.test(action)));
    expect(signing).toEqual([
      expect.objectContaining({
        Condition: {
          ArnEquals: { 'aws:PrincipalArn': 'TickRole.Arn' },
          StringEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' },
        },
      }),
    ]);
    const granted = policyOf(resourceOf(FILE, 'TickCheckpointPolicy'));
    expect(granted.find((each) => actionsOf([each]).includes('kms:Sign'))?.Condition).toEqual({
      StringEquals: signing[0]?.Condition?.['StringEquals'],
    });
  });

  it('leaves the account the means to manage the key, without wildcards', () => {
    const administered = actionsOf(keyStatements.filter(({ Sid }) => Sid === 'Administer'));
    expect(administered).toEqual(expect.arrayContaining(['kms:PutKeyPolicy', 'kms:GetPublicKey', 'kms:Verify']));
    expect(administered.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('protects new objects by default, and survives the stack', () => {
    const bucket = resourceOf(FILE, 'CheckpointBucket');
    for (const kept of [key, bucket]) {
      expect(kept).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
    expect(bucket.Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: expect.anything() } },
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
    });
    expect(policyOf(resourceOf(FILE, 'CheckpointBucketPolicy'))).toEqual([
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    ]);
  });

  it('lets the tick only add objects', () => {
    const granted = policyOf(resourceOf(FILE, 'TickCheckpointPolicy'));
    const writing = granted.filter((each) =>
      actionsOf([each]).some((action) => /^s3:(Put|Delete|Bypass)/.test(action)),
    );
    expect(writing.map(({ Action, Condition }) => ({ Action, Condition }))).toEqual([
      { Action: ['s3:PutObject'], Condition: { Null: { 's3:if-none-match': 'false' } } },
    ]);
  });

  it('sets variables of the tick alone, which it accepts', () => {
    const named = Object.entries(functions).filter(([, { environment }]) =>
      Object.keys(environment).some((name) => name.startsWith('ROLLCALL_CHECKPOINT')),
    );
    expect(named.map(([name]) => name)).toEqual(['tick']);
    const variables = Object.keys(functions['tick']?.environment ?? {}).filter((name) => name.includes('CHECKPOINT'));
    expect(variables).toHaveLength(4);
    const off = Object.fromEntries(variables.map((name) => [name, '']));
    expect(readCheckpointEnv(off).key).toBeNull();
    const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const on = {
      ROLLCALL_CHECKPOINT_KEY: `awskms:${arn}`,
      ROLLCALL_CHECKPOINT_ARCHIVE: 's3://rollcall-prod-checkpointbucket-1a2b3c4d5e6f',
      ROLLCALL_CHECKPOINT_ARCHIVE_OWNER: '111122223333',
    };
    expect(readCheckpointEnv({ ...off, ...on })).toEqual({
      key: { kind: 'kms', keyId: arn },
      archive: { bucket: 'rollcall-prod-checkpointbucket-1a2b3c4d5e6f', prefix: '', owner: '111122223333' },
      witnesses: [],
    });
  });
});
