import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readAwsEnv } from '../../shared/config/aws-env.ts';
import { MONITORING } from '../../shared/ports/metrics.ts';
import { read } from './template.ts';

const root = resolve(import.meta.dirname, '../..');
const stageFile = z.object({
  checked: z.custom<(given: object) => Promise<unknown>>((value) => typeof value === 'function'),
});
const { checked } = stageFile.parse(createRequire(import.meta.url)('../../infra/stage.cjs'));

const packaged = (stage: unknown) => checked({ resolveVariable: async () => stage });

/** Whether a function starts under the stage. */
function starts(stage: string): boolean {
  const queue = 'https://sqs.eu-central-1.amazonaws.com/111122223333/';
  const env = {
    ...{ ROLLCALL_TABLE: 'rollcall', ROLLCALL_QUEUE_URL: `${queue}work`, ROLLCALL_DLQ_URL: `${queue}dead` },
    ...{ ROLLCALL_EVENT_BUS: 'rollcall', ROLLCALL_POLICY: 'file:infra/policy.yaml' },
  };
  try {
    return readAwsEnv({ ...env, ROLLCALL_STAGE: stage }).stage === stage;
  } catch {
    return false;
  }
}

const STAGES = [
  'prod',
  'dev',
  'a',
  'eu-1',
  'a'.repeat(20),
  'Prod',
  'PROD',
  '1st',
  '-a',
  'a_b',
  'a.b',
  'a'.repeat(21),
  'prod ',
  'é',
];

describe('the stage', () => {
  it.each(STAGES)('%j can be packaged if, and only if, the functions start under it', async (stage) => {
    if (starts(stage)) expect(await packaged(stage)).toBe(stage);
    else await expect(packaged(stage)).rejects.toThrow(`the stage is ${JSON.stringify(stage)}; expected`);
  });

  it('that is not a string is rejected', async () => {
    for (const stage of [undefined, null, 7, {}]) await expect(packaged(stage)).rejects.toThrow('the stage is');
  });

  it('is checked in the functions’ environment, before anything is bundled', { timeout: 120_000 }, () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in the file
    expect(read('serverless.yml')).toContain('ROLLCALL_STAGE: ${file(infra/stage.cjs):checked}');
    const osls = resolve(root, 'node_modules/osls/bin/serverless.js');
    const run = spawnSync(process.execPath, [osls, 'print', '--stage', 'Prod'], { cwd: root, encoding: 'utf8' });
    expect(run.status).not.toBe(0);
    const said = `${run.stdout}${run.stderr}`;
    expect(said).toContain('the stage is "Prod"; expected');
    expect(said).not.toContain('infra/stage.cjs:');
  });
});

describe('the monitoring', () => {
  const file = stageFile.parse(createRequire(import.meta.url)('../../infra/monitoring.cjs'));
  const packagedWith = (monitoring: unknown) => file.checked({ resolveVariable: async () => monitoring });

  it.each(MONITORING)('may be %s', async (monitoring) => {
    expect(await packagedWith(monitoring)).toBe(monitoring);
  });

  it.each(['off', 'Full', '', undefined, 7])(
    '%j is refused at packaging, without a stack trace',
    async (monitoring) => {
      const error = await packagedWith(monitoring).catch((refused: unknown) => refused);
      expect(error).toMatchObject({ message: expect.stringContaining('; expected one of full, alarms, none') });
      expect(error).toHaveProperty('stack', undefined);
    },
  );
});

describe('the checkpoints', () => {
  const file = stageFile.parse(createRequire(import.meta.url)('../../infra/checkpoints.cjs'));
  const packagedWith = (checkpoints: unknown) => file.checked({ resolveVariable: async () => checkpoints });

  it.each(['none', 'governance', 'compliance'])('may be %s', async (checkpoints) => {
    expect(await packagedWith(checkpoints)).toBe(checkpoints);
  });

  it.each(['off', 'Compliance', 'GOVERNANCE', '', undefined, true])(
    '%j are refused at packaging, without a stack trace',
    async (checkpoints) => {
      const error = await packagedWith(checkpoints).catch((refused: unknown) => refused);
      expect(error).toMatchObject({
        message: expect.stringContaining('; expected one of none, governance, compliance'),
      });
      expect(error).toHaveProperty('stack', undefined);
    },
  );
});

describe('the source of the policy', () => {
  const access = z
    .object({ policy: z.custom<(given: object) => Promise<unknown>>((value) => typeof value === 'function') })
    .parse(createRequire(import.meta.url)('../../infra/policy-access.cjs'));
  const permission = (source: string) => access.policy({ resolveVariable: async () => source });

  it.each(['https://example.com/policy', 'S3://policies/a', 's3://policies', 'ssm:', ''])(
    '%j is refused at packaging, without a stack trace',
    async (source) => {
      const error = await permission(source).catch((refused: unknown) => refused);
      expect(error).toMatchObject({
        message: expect.stringContaining(`policySource is ${JSON.stringify(source)}; expected`),
      });
      expect(error).toHaveProperty('stack', undefined);
    },
  );

  it.each(['file:', 'file:infra', 'file:no/such.yaml'])('%j is rejected, because it names no file', async (source) => {
    await expect(permission(source)).rejects.toThrow('but there is no such file');
  });

  it('that can be read is accepted', async () => {
    expect(await permission('file:infra/policy.yaml')).toEqual({ Ref: 'AWS::NoValue' });
    expect(await permission('s3://policies/rollcall.yaml')).toMatchObject({ PolicyName: 'read-policy' });
    expect(await permission('ssm:/rollcall/policy')).toMatchObject({ PolicyName: 'read-policy' });
  });
});
