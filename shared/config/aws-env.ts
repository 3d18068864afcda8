import { isAbsolute } from 'node:path';
import * as z from 'zod';
import { MONITORING, type Monitoring } from '../ports/metrics.ts';
import type { Environment } from './config.ts';
import { ConfigError } from './config-error.ts';

/** The source of the policy. */
type PolicyLocation =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly key: string }
  | { readonly kind: 'ssm'; readonly name: string };

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Names of the table, queues and bus, for `--store aws` and for the functions. */
export interface AwsStoreEnv {
  readonly table: string;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  /** Name or ARN of the bus for ledger events and for Rollcall's own scan requests. */
  readonly eventBus: string;
  /** `AWS_ENDPOINT_URL_SQS`, which the SDK itself ignores: it sends to the host in the queue's URL. */
  readonly sqsEndpoint: string | null;
}

/** The checked environment of a Lambda function. */
export interface AwsEnv extends AwsStoreEnv {
  readonly policy: PolicyLocation;
  readonly stage: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly monitoring: Monitoring;
  /** The directory of the function's code. Relative paths of policies start here. */
  readonly taskRoot: string;
}

const TABLE = /^(arn:[a-z0-9-]+:dynamodb:[a-z0-9-]+:\d{12}:table\/)?[a-zA-Z0-9_.-]{3,255}$/;
const BUS = /^(arn:[a-z0-9-]+:events:[a-z0-9-]+:\d{12}:event-bus\/)?[/.A-Za-z0-9_-]{1,256}$/;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PARAMETER = /^(arn:[a-z0-9-]+:ssm:[a-z0-9-]+:\d{12}:parameter)?\/?[A-Za-z0-9_./-]{1,1011}$/;

const queueUrl = z.string().refine((text) => {
  const url = URL.parse(text);
  return (url?.protocol === 'https:' || url?.protocol === 'http:') && url.pathname.split('/').length >= 3;
}, 'a queue URL such as https://sqs.eu-central-1.amazonaws.com/111122223333/rollcall');

const policyLocation = z.string().transform((text, context): PolicyLocation => {
  const location = locationOf(text);
  if (location !== null) return location;
  context.addIssue({ code: 'custom', message: POLICY_FORMS });
  return z.NEVER;
});

const POLICY_FORMS = 'file:PATH, s3://BUCKET/KEY or ssm:PARAMETER';

function locationOf(text: string): PolicyLocation | null {
  const [, path] = /^file:(.+)$/s.exec(text) ?? [];
  if (path !== undefined) return { kind: 'file', path };
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(text) ?? [];
  if (bucket !== undefined && key !== undefined && BUCKET.test(bucket)) return { kind: 's3', bucket, key };
  const name = text.startsWith('ssm:') ? text.slice('ssm:'.length) : '';
  return PARAMETER.test(name) ? { kind: 'ssm', name } : null;
}

const endpoint = z.string().refine((text) => {
  const protocol = URL.parse(text)?.protocol;
  return protocol === 'https:' || protocol === 'http:';
}, 'a URL such as http://127.0.0.1:4566');

const storeSchema = z.object({
  ROLLCALL_TABLE: z.string().regex(TABLE, 'the name or ARN of a DynamoDB table'),
  ROLLCALL_QUEUE_URL: queueUrl,
  ROLLCALL_DLQ_URL: queueUrl,
  ROLLCALL_EVENT_BUS: z.string().regex(BUS, 'the name or ARN of an event bus'),
  AWS_ENDPOINT_URL_SQS: endpoint.optional(),
});

const schema = storeSchema.extend({
  ROLLCALL_POLICY: policyLocation,
  ROLLCALL_STAGE: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,19}$/, 'a stage such as prod')
    .default('dev'),
  ROLLCALL_LOG_LEVEL: z.enum(LOG_LEVELS, `one of ${LOG_LEVELS.join(', ')}`).default('info'),
  ROLLCALL_MONITORING: z.enum(MONITORING, `one of ${MONITORING.join(', ')}`).default('full'),
  LAMBDA_TASK_ROOT: z.string().refine(isAbsolute, 'an absolute path').optional(),
});

/** Checks the environment of a Lambda function. @throws ConfigError that names every missing or invalid variable */
export function readAwsEnv(env: Environment): AwsEnv {
  const data = read(schema, env, 'The environment of this function is not usable.');
  return Object.freeze({
    ...storeEnv(data),
    policy: data.ROLLCALL_POLICY,
    stage: data.ROLLCALL_STAGE,
    logLevel: data.ROLLCALL_LOG_LEVEL,
    monitoring: data.ROLLCALL_MONITORING,
    taskRoot: data.LAMBDA_TASK_ROOT ?? process.cwd(),
  });
}

/** Checks the variables that `--store aws` needs. @throws ConfigError as {@link readAwsEnv} */
export function readAwsStoreEnv(env: Environment): AwsStoreEnv {
  const found = read(storeSchema, env, '--store aws finds its table, queues and bus in the environment.');
  return Object.freeze(storeEnv(found));
}

function read<T>(shape: z.ZodType<T>, env: Environment, sentence: string): T {
  // Deployment templates set a variable to an empty text instead of leaving it out.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = shape.safeParse(given);
  if (!parsed.success) throw new ConfigError('Environment', `${sentence} ${problems(parsed.error.issues, given)}`);
  return parsed.data;
}

function storeEnv(data: z.infer<typeof storeSchema>): AwsStoreEnv {
  if (data.ROLLCALL_QUEUE_URL === data.ROLLCALL_DLQ_URL) {
    throw new ConfigError('Environment', 'ROLLCALL_DLQ_URL is the same queue as ROLLCALL_QUEUE_URL; name two queues.');
  }
  return {
    table: data.ROLLCALL_TABLE,
    queueUrl: data.ROLLCALL_QUEUE_URL,
    dlqUrl: data.ROLLCALL_DLQ_URL,
    eventBus: data.ROLLCALL_EVENT_BUS,
    sqsEndpoint: data.AWS_ENDPOINT_URL_SQS ?? null,
  };
}

function problems(issues: readonly z.core.$ZodIssue[], given: Environment): string {
  const sentences = issues.map(({ path, message }) => {
    const name = String(path[0]);
    const value = given[name];
    if (value === undefined) return `${name} is not set: expected ${EXPECTED[name] ?? message}.`;
    return `${name} is ${JSON.stringify(value)}: expected ${message}.`;
  });
  return sentences.join(' ');
}

const EXPECTED: Readonly<Record<string, string>> = {
  ROLLCALL_TABLE: 'the name or ARN of a DynamoDB table',
  ROLLCALL_QUEUE_URL: 'the URL of the work queue',
  ROLLCALL_DLQ_URL: 'the URL of the dead-letter queue',
  ROLLCALL_EVENT_BUS: 'the name or ARN of an event bus',
  ROLLCALL_POLICY: POLICY_FORMS,
};
