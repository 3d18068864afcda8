import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTableInput } from '../../../shared/adapters/aws/dynamodb/schema.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { refusal, startFaultProxy } from './faults.ts';
import { type Bench, immediateClock, makeBench, makeQueues, type SimulatedAws, startSimulatedAws } from './stores.ts';

let aws: SimulatedAws;
let bench: Bench;
let made = 0;
beforeAll(async () => {
  aws = await startSimulatedAws();
});
afterAll(() => aws.close());
beforeEach(async () => {
  bench = await makeBench(aws);
});
afterEach(() => bench.dispose());

async function failure(options: Parameters<Bench['open']>[0]): Promise<StoreError> {
  const error = await bench.open({ clock: immediateClock(), ...options }).catch((thrown: unknown) => thrown);
  if (!(error instanceof StoreError)) throw new Error(`opened, or threw something else: ${String(error)}`);
  return error;
}

async function tableLike(change: (input: CreateTableCommandInput) => CreateTableCommandInput): Promise<string> {
  made += 1;
  const table = `odd-table-${made}`;
  await aws.table.send(new CreateTableCommand(change(createTableInput(table))));
  return table;
}

describe('opening the stores', () => {
  it('accepts a table created from createTableInput', async () => {
    const stores = await bench.open();
    expect(await stores.registers.list('')).toEqual([]);
    await stores.close();
    await stores.close();
  });

  it('names every missing resource in one error', async () => {
    const error = await failure({ table: 'no-such-table', queueUrl: `${bench.queueUrl}x`, dlqUrl: `${bench.dlqUrl}y` });
    expect(error.code).toBe('WrongShape');
    expect(error.message).toContain('table no-such-table does not exist');
    expect(error.message).toContain(`queue ${bench.queueUrl}x does not exist`);
    expect(error.message).toContain(`dead-letter queue ${bench.dlqUrl}y does not exist`);
    expect(error.message).toContain('ROLLCALL_TABLE');
  });

  it('names an index that is missing, has a wrong key or projects too little', async () => {
    const table = await tableLike((input) => ({
      ...input,
      LocalSecondaryIndexes: undefined,
      GlobalSecondaryIndexes: input.GlobalSecondaryIndexes?.flatMap((index) => {
        if (index.IndexName === 'todo') return [];
        if (index.IndexName === 'all-time') return [{ ...index, Projection: { ProjectionType: 'KEYS_ONLY' as const } }];
        if (index.IndexName !== 'run-time') return [index];
        return [{ ...index, KeySchema: index.KeySchema?.slice(0, 1) }];
      }),
      AttributeDefinitions: input.AttributeDefinitions?.filter(
        ({ AttributeName }) => !AttributeName?.startsWith('todo'),
      ),
    }));
    const { message } = await failure({ table });
    expect(message).toContain(`table ${table}: the local index chain-time is missing`);
    expect(message).toContain('the global index todo is missing');
    expect(message).toContain(
      'the global index run-time has the key runKey (HASH), expected runKey (HASH), time (RANGE)',
    );
    expect(message).toContain('the global index all-time does not project type, accountId');
    expect(message).not.toContain('type-time');
  });

  it('names a wrong key and a wrong key type', async () => {
    const attribute = { AttributeName: 'sk', AttributeType: 'N' } as const;
    const table = await tableLike((input) => ({
      ...input,
      AttributeDefinitions: [
        ...(input.AttributeDefinitions?.filter((each) => each.AttributeName !== 'sk') ?? []),
        attribute,
      ],
    }));
    expect((await failure({ table })).message).toContain('attribute sk is of type N, expected S');
    const simple = await tableLike(({ TableName, BillingMode }) => ({
      ...{ TableName, BillingMode, AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }] },
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }));
    expect((await failure({ table: simple })).message).toContain(
      'has the key id (HASH), expected pk (HASH), sk (RANGE)',
    );
  });

  it('rejects a table that is being deleted or created; accepts additional indexes', async () => {
    const { Table } = await aws.table.send(new DescribeTableCommand({ TableName: bench.table }));
    const proxy = await startFaultProxy(aws.dynamodb.endpoint);
    const says = (change: Partial<TableDescription>) => {
      const { CreationDateTime: _, ProvisionedThroughput: __, BillingModeSummary: ___, ...rest } = { ...Table };
      const gsis = rest.GlobalSecondaryIndexes?.map(({ ProvisionedThroughput: ____, ...index }) => index);
      const description = { ...rest, GlobalSecondaryIndexes: gsis, ...change };
      proxy.decide = () => ({ kind: 'answer', status: 200, body: { Table: description } });
    };
    const dynamodb = { ...aws.dynamodb, endpoint: proxy.endpoint };
    says({ TableStatus: 'DELETING' });
    expect((await failure({ dynamodb })).message).toContain('is DELETING, not ACTIVE');
    const extra = { IndexName: 'own', KeySchema: [{ AttributeName: 'x', KeyType: 'HASH' as const }] };
    says({ TableStatus: 'UPDATING', GlobalSecondaryIndexes: [...(Table?.GlobalSecondaryIndexes ?? []), extra] });
    await bench.open({ dynamodb });
    says({
      GlobalSecondaryIndexes: Table?.GlobalSecondaryIndexes?.map((index) => ({
        ...index,
        IndexStatus: 'CREATING' as const,
      })),
    });
    expect((await failure({ dynamodb })).message).toContain('the global index todo is CREATING');
    await proxy.close();
  });

  it('names the faults of the queues', async () => {
    made += 1;
    const plain = async (name: string, Attributes: Record<string, string>) =>
      (await aws.queues.send(new CreateQueueCommand({ QueueName: name, Attributes }))).QueueUrl ?? '';
    const bare = await plain(`bare-${made}`, {});
    expect((await failure({ queueUrl: bare })).message).toContain('has no redrive policy');
    const other = await makeQueues(aws.queues, `other-${made}`);
    expect((await failure({ dlqUrl: other.dlqUrl })).message).toContain('redrives to');
    expect((await failure({ dlqUrl: bench.queueUrl })).message).toContain('as its own dead-letter queue');
    const fifo = await plain(`fifo-${made}.fifo`, { FifoQueue: 'true' });
    expect((await failure({ queueUrl: fifo })).message).toContain('is a FIFO queue');
    const set = (QueueUrl: string, Attributes: Record<string, string>) =>
      aws.queues.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
    await set(bench.dlqUrl, { MaximumMessageSize: '1024' });
    expect((await failure({})).message).toContain('takes messages of 1024 bytes, expected at least');
    await set(bench.queueUrl, { RedrivePolicy: '{' });
    expect((await failure({})).message).toContain('a redrive policy that cannot be read');
    await set(bench.queueUrl, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: 'x', maxReceiveCount: 3 }) });
    expect((await failure({})).message).toContain('redrives after 3 receives, expected 20 or more');
  });

  it('reports a denied caller as denied, not as a missing resource', async () => {
    const proxy = await startFaultProxy(aws.dynamodb.endpoint);
    proxy.decide = () => refusal('AccessDeniedException');
    const error = await failure({ dynamodb: { ...aws.dynamodb, endpoint: proxy.endpoint } });
    expect(error).toMatchObject({ code: 'Denied', details: { resource: `table ${bench.table}` } });
    await proxy.close();
  });

  it('rejects a clock that is off by more than leases allow, and reports the difference', async () => {
    const real = () => performance.timeOrigin + performance.now();
    const off = (ms: number) => ({ ...immediateClock(), now: () => real() + ms });
    const ahead = await failure({ clock: off(125_000), maxClockSkewMs: 30_000 });
    expect(ahead).toMatchObject({ code: 'ClockSkew' });
    expect(ahead.message).toMatch(/this machine's clock: it is 12[4-7] s ahead of AWS's/);
    expect((await failure({ clock: off(-125_000), maxClockSkewMs: 30_000 })).message).toMatch(/12[4-7] s behind AWS's/);
    await bench.open({ clock: off(10_000), maxClockSkewMs: 30_000 });
    await bench.open({ clock: off(125_000) });
  });

  it('explains an unreachable endpoint and a missing Region', async () => {
    const proxy = await startFaultProxy(aws.dynamodb.endpoint);
    await proxy.close();
    const refused = await failure({ dynamodb: { ...aws.dynamodb, endpoint: proxy.endpoint } });
    expect(refused).toMatchObject({ code: 'Unavailable', details: { vendorCode: 'ECONNREFUSED' } });
    const region = async (): Promise<string> => {
      throw new Error('Region is missing');
    };
    const lost = await failure({ dynamodb: { endpoint: aws.dynamodb.endpoint, region } });
    expect(lost.message).toContain('Region is missing');
  });
});
