import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as cloudformation from '@aws-sdk/client-cloudformation';
import * as computeOptimizer from '@aws-sdk/client-compute-optimizer';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as eventBridge from '@aws-sdk/client-eventbridge';
import * as kms from '@aws-sdk/client-kms';
import * as organizations from '@aws-sdk/client-organizations';
import * as s3 from '@aws-sdk/client-s3';
import * as sqs from '@aws-sdk/client-sqs';
import * as ssm from '@aws-sdk/client-ssm';
import * as sts from '@aws-sdk/client-sts';
import { NormalizedSchema } from '@smithy/core/schema';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import * as automation from '../../../../shared/adapters/aws/cloud/automation-client/index.ts';
import * as costOptimizationHub from '../../../../shared/adapters/aws/cloud/cost-optimization-hub-client/index.ts';
import * as tagging from '../../../../shared/adapters/aws/cloud/tagging-client/index.ts';
import {
  type CheckedService,
  COMPLETE_ANSWERS,
  type CompleteAnswer,
  missingFrom,
  withCompleteAnswers,
} from '../../../../shared/adapters/aws/complete-answers.ts';

const root = resolve(import.meta.dirname, '../../../..');
const ENTRIES: Readonly<Record<string, Readonly<Record<string, CompleteAnswer>>>> = COMPLETE_ANSWERS;

/** The name of each package in the code, and the service of its operations. */
const SERVICES: Readonly<Record<string, CheckedService>> = {
  '@aws-sdk/client-cloudformation': 'cloudformation',
  '@aws-sdk/client-compute-optimizer': 'compute-optimizer',
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/client-eventbridge': 'events',
  '@aws-sdk/client-kms': 'kms',
  '@aws-sdk/client-organizations': 'organizations',
  '@aws-sdk/client-s3': 's3',
  '@aws-sdk/client-sqs': 'sqs',
  '@aws-sdk/client-ssm': 'ssm',
  '@aws-sdk/client-sts': 'sts',
  'automation-client/index.ts': 'aco-automation',
  'cost-optimization-hub-client/index.ts': 'cost-optimization-hub',
  'tagging-client/index.ts': 'tagging',
};
const CLIENTS: Readonly<Record<CheckedService, object>> = {
  ...{ 'compute-optimizer': computeOptimizer, 'aco-automation': automation, dynamodb, events: eventBridge },
  ...{ cloudformation, kms },
  ...{ 'cost-optimization-hub': costOptimizationHub, organizations, s3, sqs, ssm, sts, tagging },
};

interface Source {
  readonly file: string;
  readonly text: string;
}

const sources: readonly Source[] = ['shared', 'services']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('/dashboard/'))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => !path.includes('/services/sandbox/'))
  .map((path) => ({ file: path.slice(root.length + 1), text: readFileSync(path, 'utf8') }));

/** Every command that the code imports, with the service that it belongs to. */
function calledOperations(): readonly { readonly service: CheckedService; readonly operation: string }[] {
  const called = new Map<string, { service: CheckedService; operation: string }>();
  for (const { text } of sources) {
    const imports = text.matchAll(
      /(?:import|const) (?:type )?\{([^}]*)\} (?:from|= await import\() ?['"]([^'"]+)['"]/g,
    );
    for (const [, names = '', from = ''] of imports) {
      const service = Object.entries(SERVICES).find(([name]) => from.endsWith(name))?.[1];
      if (service === undefined) continue;
      for (const name of names.split(',')) {
        const operation = /^(\w+)Command$/.exec(name.trim().split(' as ')[0] ?? '')?.[1];
        if (operation !== undefined) called.set(`${service} ${operation}`, { service, operation });
      }
    }
  }
  return [...called.values()];
}

const modelSchema = z.object({
  shapes: z.record(
    z.string(),
    z.looseObject({
      type: z.string(),
      members: z
        .record(z.string(), z.object({ target: z.string(), traits: z.record(z.string(), z.unknown()).optional() }))
        .optional(),
      output: z.object({ target: z.string() }).optional(),
    }),
  ),
});

interface Output {
  readonly operation: string;
  /** Members that the model requires. */
  readonly required: readonly string[];
  readonly lists: readonly string[];
}

/** The outputs of all operations of a Smithy model. */
function outputsOf(file: string): readonly Output[] {
  const path = join(root, 'services/sandbox/models', file);
  const { shapes } = modelSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  return Object.entries(shapes).flatMap(([id, shape]) => {
    if (shape.type !== 'operation') return [];
    const members = Object.entries(shapes[shape.output?.target ?? '']?.members ?? {});
    const required = members.flatMap(([name, { traits }]) => (traits?.['smithy.api#required'] ? [name] : []));
    const lists = members.flatMap(([name, { target }]) => (shapes[target]?.type === 'list' ? [name] : []));
    return [{ operation: id.slice(id.indexOf('#') + 1), required, lists }];
  });
}

const commandClass = z.custom<new (input: object) => object>((value) => typeof value === 'function');
const structureSchema = z.custom<Parameters<typeof NormalizedSchema.of>[0]>(
  (value) => Array.isArray(value) || typeof value === 'function',
);
/** `[9, namespace, name, traits, input, output]`. */
const operationSchema = z.tuple([z.literal(9), z.string(), z.string(), z.unknown(), z.unknown(), structureSchema]);

/** The output as the SDK's own schema of the command has it: the members that the model requires come first, and it gives their number. */
function sdkOutputOf(service: CheckedService, operation: string): Output {
  const Command = commandClass.parse(Reflect.get(CLIENTS[service], `${operation}Command`));
  const output = operationSchema.parse(Reflect.get(new Command({}), 'schema'))[5];
  const structure = NormalizedSchema.of(output);
  const count: unknown = Reflect.get(Object(structure.getSchema()), 6);
  const members = [...structure.structIterator()];
  return {
    operation,
    required: members.slice(0, typeof count === 'number' ? count : 0).map(([name]) => name),
    lists: members.filter(([, member]) => member.isListSchema()).map(([name]) => name),
  };
}

/** Required members and lists that the entry does not speak of. */
function forgotten({ required, lists }: Output, entry: CompleteAnswer): readonly string[] {
  const { has, hasOneOf = [], mayLack = {} } = entry;
  const named = new Set([...has, ...hasOneOf].map((path) => path.split('.')[0]));
  return [
    ...required.filter((name) => !named.has(name) && !named.has(`${name}[]`)),
    ...lists.filter((name) => !named.has(`${name}[]`)),
  ].filter((name) => !Object.hasOwn(mayLack, name));
}

const MODELS: readonly (readonly [CheckedService, string])[] = [
  ['organizations', 'organizations.json'],
  ['compute-optimizer', 'compute-optimizer.json'],
  ['aco-automation', 'compute-optimizer-automation.json'],
  ['cost-optimization-hub', 'cost-optimization-hub.json'],
  ['tagging', 'resource-groups-tagging.json'],
  ['sts', 'sts.json'],
  ['events', 'eventbridge.json'],
];

describe('complete answers', () => {
  it('is said for every operation that the code calls, and for no other', () => {
    const called = calledOperations().map(({ service, operation }) => `${service} ${operation}`);
    const known = Object.entries(ENTRIES).flatMap(([service, operations]) =>
      Object.keys(operations).map((operation) => `${service} ${operation}`),
    );
    expect(called.length).toBeGreaterThan(30);
    expect([...called].sort()).toEqual([...known].sort());
  });

  it.each(MODELS)('covers what the Smithy model of %s requires, and every list', (service, file) => {
    const outputs = outputsOf(file);
    const entries = ENTRIES[service] ?? {};
    expect(outputs.length).toBeGreaterThan(0);
    for (const output of outputs) {
      const entry = entries[output.operation];
      if (entry !== undefined) expect([output.operation, forgotten(output, entry)]).toEqual([output.operation, []]);
    }
    const unknown = Object.keys(entries).filter(
      (operation) => !outputs.some((output) => output.operation === operation),
    );
    // The sandbox has no event bus to describe.
    expect(unknown.filter((operation) => operation !== 'DescribeEventBus')).toEqual([]);
  });

  it.each(calledOperations())("covers what the SDK's own schema requires: $service $operation", (called) => {
    const { service, operation } = called;
    const entry = ENTRIES[service]?.[operation];
    if (entry === undefined) throw new Error(`${service} ${operation} has no entry`);
    expect(forgotten(sdkOutputOf(service, operation), entry)).toEqual([]);
  });

  it("reads the SDK's schemas as they are meant", () => {
    const results = { required: ['Successful', 'Failed'], lists: ['Successful', 'Failed'] };
    expect(sdkOutputOf('sqs', 'SendMessageBatch')).toMatchObject(results);
    expect(sdkOutputOf('organizations', 'ListTagsForResource')).toMatchObject({ required: [], lists: ['Tags'] });
    expect(sdkOutputOf('aco-automation', 'ListAccounts')).toMatchObject({ lists: ['accounts'] });
  });

  it('is checked by every client that is made', () => {
    const unchecked = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/new (\w+Client)\(/g)].flatMap(({ index, 1: name }) => {
        const before = text.slice(0, index).trimEnd();
        return /withCompleteAnswers\(\s*'[a-z0-9-]+',$/.test(before) ? [] : [`${file}: ${name}`];
      }),
    );
    expect(unchecked).toEqual([]);
  });

  it.each([
    [{ has: ['Tags[].Key'] }, {}, 'Tags'],
    [{ has: ['Tags[].Key'] }, { Tags: null }, 'Tags'],
    [{ has: ['Tags[].Key'] }, { Tags: {} }, 'Tags'],
    [{ has: ['Tags[].Key'] }, '', 'Tags'],
    [{ has: ['Tags[].Key'] }, { Tags: [{ Key: 'a' }, { Value: 'b' }] }, 'Tags[1].Key'],
    [{ has: ['Tags[].Key'] }, { Tags: [null] }, 'Tags[0].Key'],
    [{ has: ['Tags[].Key'] }, { Tags: [] }, null],
    [{ has: ['Account.Id'] }, { Account: {} }, 'Account.Id'],
    [{ has: ['Account.Id'] }, { Account: { Id: '1' } }, null],
    [{ has: [], hasOneOf: ['a[]', 'b[]'] }, {}, 'a and b'],
    [{ has: [], hasOneOf: ['a[]', 'b[]'] }, { b: [] }, null],
  ])('%j in %j: %s is missing', (entry, answer, missing) => {
    expect(missingFrom(answer, entry)).toBe(missing);
  });
});

it('a client does not prepare its calls and answers for a log that nobody reads', () => {
  const client = withCompleteAnswers('dynamodb', new dynamodb.DynamoDBClient({ region: 'eu-west-1' }));
  const names = client.middlewareStack.identify().join('\n');
  expect(names).toContain('completeAnswers');
  expect(names).not.toContain('loggerMiddleware');
});
