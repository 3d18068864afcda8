import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type AwsInspectionOptions, inspectAws } from '../../../shared/adapters/aws/doctor.ts';
import { createTableInput } from '../../../shared/adapters/aws/dynamodb/schema.ts';
import { HOST } from '../../support/host.ts';
import { type SimulatedService, startSimulatedService } from './simulated-service.ts';
import { makeQueues, type SimulatedAws, startSimulatedAws } from './stores.ts';

let aws: SimulatedAws;
beforeAll(async () => {
  aws = await startSimulatedAws();
});
afterAll(() => aws.close());

const NOTHING = { table: null, queueUrl: null, dlqUrl: null, bus: null };

function inspect(options: Partial<AwsInspectionOptions>) {
  const opened = inspectAws({ ...HOST, ...NOTHING, dynamodb: aws.dynamodb, sqs: aws.sqs, ...options });
  onTestFinished(() => opened.close());
  return opened;
}

async function simulate(answer: Parameters<typeof startSimulatedService>[0]): Promise<SimulatedService> {
  const service = await startSimulatedService(answer);
  onTestFinished(() => service.close());
  return service;
}

const refusal = (code: string) => ({ status: 400, body: { __type: code, message: 'words' } });
const NOWHERE = {
  region: 'eu-west-1',
  endpoint: 'http://127.0.0.1:9',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
};

describe('the table', () => {
  it('passes as deployed', async () => {
    await aws.table.send(new CreateTableCommand(createTableInput('rollcall-good')));
    expect(await inspect({ table: 'rollcall-good' }).table()).toMatchObject({ status: 'pass', fix: [] });
  });

  it('is missing: reports the command that creates it', async () => {
    const { status, reason, fix } = await inspect({ table: 'rollcall-none' }).table();
    expect({ status, reason }).toEqual({ status: 'fail', reason: 'missing' });
    const [, json = ''] = /^aws dynamodb create-table --cli-input-json '(.*)'$/.exec(fix[0] ?? '') ?? [];
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(createTableInput('rollcall-none'))));
  });

  it('lacks indexes: names them and the command that deploys them', async () => {
    const { KeySchema, BillingMode } = createTableInput('rollcall-stunted');
    const AttributeDefinitions = ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const }));
    const input = { TableName: 'rollcall-stunted', KeySchema, BillingMode, AttributeDefinitions };
    await aws.table.send(new CreateTableCommand(input));
    const { status, reason, message, fix } = await inspect({ table: 'rollcall-stunted' }).table();
    expect({ status, reason, fix }).toEqual({
      status: 'fail',
      reason: 'wrong',
      fix: ['npx osls deploy --stage stunted'],
    });
    for (const index of ['chain-time', 'all-time', 'todo']) expect(message).toContain(`index ${index} is missing`);
  });

  it('distinguishes denied, unauthenticated, unreachable and an unset name', async () => {
    const denied = await simulate(() => refusal('AccessDeniedException'));
    const unknown = await simulate(() => refusal('UnrecognizedClientException'));
    const reasons = await Promise.all(
      [denied.settings, unknown.settings, NOWHERE].map(
        async (dynamodb) => (await inspect({ table: 't-1', dynamodb }).table()).reason,
      ),
    );
    expect(reasons).toEqual(['denied', 'unauthenticated', 'unreachable']);
    expect(await inspect({}).table()).toMatchObject({
      status: 'fail',
      reason: 'missing',
      fix: [expect.stringContaining('export ROLLCALL_TABLE=')],
    });
    expect(denied.requests.map(({ operation }) => operation)).toEqual(['DescribeTable']);
  });
});

describe('the queues', () => {
  it('pass as deployed', async () => {
    expect(await inspect(await makeQueues(aws.queues, 'good')).queue()).toMatchObject({ status: 'pass' });
  });

  it('redrive elsewhere: reports a command that fixes it', async () => {
    const made = await makeQueues(aws.queues, 'astray');
    const RedrivePolicy = JSON.stringify({
      deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:other',
      maxReceiveCount: 3,
    });
    await aws.queues.send(new SetQueueAttributesCommand({ QueueUrl: made.queueUrl, Attributes: { RedrivePolicy } }));
    const { status, reason, message, fix } = await inspect(made).queue();
    expect({ status, reason }).toEqual({ status: 'fail', reason: 'wrong' });
    expect(message).toContain('redrives after 3 receives');
    const [, json = ''] = /^aws sqs set-queue-attributes --queue-url \S+ --attributes '(.*)'$/.exec(fix[0] ?? '') ?? [];
    const Attributes: Record<string, string> = JSON.parse(json);
    await aws.queues.send(new SetQueueAttributesCommand({ QueueUrl: made.queueUrl, Attributes }));
    expect(await inspect(made).queue()).toMatchObject({ status: 'pass' });
  });

  it('are missing, one or both: reports the commands that create them', async () => {
    const made = await makeQueues(aws.queues, 'half');
    const dlqUrl = made.dlqUrl.replace('half-dead', 'half-lost');
    const queueUrl = made.queueUrl.replace('/half', '/gone');
    const one = await inspect({ ...made, dlqUrl }).queue();
    expect(one).toMatchObject({ status: 'fail', reason: 'missing' });
    expect(one.fix[0]).toMatch(/^aws sqs create-queue --queue-name half-lost --attributes/);
    const both = await inspect({ queueUrl, dlqUrl }).queue();
    expect(both.fix.map((command) => /--queue-name (\S+)/.exec(command)?.[1])).toEqual(['half-lost', 'gone']);
    const same = await inspect({ ...made, dlqUrl: made.queueUrl }).queue();
    expect(same).toMatchObject({ status: 'fail', reason: 'wrong', fix: ['unset ROLLCALL_DLQ_URL'] });
  });

  it('are not configured, one or both', async () => {
    const both = await inspect({}).queue();
    expect(both).toMatchObject({ status: 'fail', reason: 'missing' });
    expect(both.message).toBe('ROLLCALL_QUEUE_URL and ROLLCALL_DLQ_URL are not set');
    expect((await inspect({ queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q' }).queue()).fix).toEqual([
      expect.stringMatching(/^export ROLLCALL_DLQ_URL=/),
    ]);
  });

  it('rejects a FIFO queue', async () => {
    const { dlqUrl } = await makeQueues(aws.queues, 'orderly');
    const command = new CreateQueueCommand({ QueueName: 'orderly.fifo', Attributes: { FifoQueue: 'true' } });
    const { QueueUrl: queueUrl = '' } = await aws.queues.send(command);
    expect((await inspect({ queueUrl, dlqUrl }).queue()).message).toContain('is a FIFO queue');
  });

  it('distinguishes denied and unreachable', async () => {
    const denied = await simulate(() => refusal('AccessDeniedException'));
    const named = {
      queueUrl: `${denied.settings.endpoint}/111122223333/q`,
      dlqUrl: `${denied.settings.endpoint}/111122223333/d`,
    };
    expect(await inspect({ ...named, sqs: denied.settings }).queue()).toMatchObject({
      status: 'fail',
      reason: 'denied',
    });
    expect(await inspect({ ...named, sqs: NOWHERE }).queue()).toMatchObject({ status: 'fail', reason: 'unreachable' });
  });
});

describe('the bus', () => {
  const bus = async (answer: { status: number; body: unknown }, name = 'rollcall-prod') => {
    const service = await simulate(() => answer);
    const found = await inspect({ bus: name, eventBridge: service.settings }).bus();
    expect(service.requests).toEqual([{ operation: 'DescribeEventBus', body: { Name: name } }]);
    return found;
  };

  it('exists, or is missing: reports the command that creates it', async () => {
    const Arn = 'arn:aws:events:eu-west-1:111122223333:event-bus/rollcall-prod';
    expect(await bus({ status: 200, body: { Name: 'rollcall-prod', Arn } })).toMatchObject({
      status: 'pass',
      message: `${Arn} is there`,
    });
    expect(await bus(refusal('ResourceNotFoundException'), Arn)).toMatchObject({
      status: 'fail',
      reason: 'missing',
      fix: ['aws events create-event-bus --name rollcall-prod'],
    });
  });

  it('warns if denied, skips if unsupported, and fails if unreachable', async () => {
    expect(await bus(refusal('AccessDeniedException'))).toMatchObject({ status: 'warn', reason: 'denied' });
    expect(await bus(refusal('UnknownOperationException'))).toMatchObject({ status: 'skipped', reason: 'notUsed' });
    expect(await bus(refusal('ThrottlingException'))).toMatchObject({ status: 'fail', reason: 'unavailable' });
    expect(await inspect({ bus: 'b', eventBridge: NOWHERE }).bus()).toMatchObject({
      status: 'fail',
      reason: 'unreachable',
    });
    expect(await inspect({}).bus()).toMatchObject({ status: 'skipped', reason: 'notUsed' });
  });
});
