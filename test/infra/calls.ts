import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { read } from './template.ts';

const root = resolve(import.meta.dirname, '../..');

export const FUNCTIONS = ['tick', 'scanner', 'worker', 'reactor', 'api'] as const;

/** Services by SDK package. Some clients are Rollcall's own. */
const SERVICES: Readonly<Record<string, string>> = {
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/client-sqs': 'sqs',
  '@aws-sdk/client-eventbridge': 'events',
  '@aws-sdk/client-organizations': 'organizations',
  '@aws-sdk/client-sts': 'sts',
  '@aws-sdk/client-compute-optimizer': 'compute-optimizer',
  '@aws-sdk/client-kms': 'kms',
  '@aws-sdk/client-s3': 's3',
  '@aws-sdk/client-ssm': 'ssm',
  'automation-client/index.ts': 'aco-automation',
  'cost-optimization-hub-client/index.ts': 'cost-optimization-hub',
  'tagging-client/index.ts': 'tagging',
};

/** Calls whose IAM action has another name. */
const ALIASES: Readonly<Record<string, string>> = {
  'tagging:GetResources': 'tag:GetResources',
  's3:GetObjectLockConfiguration': 's3:GetBucketObjectLockConfiguration',
  's3:ListObjectsV2': 's3:ListBucket',
  'sqs:SendMessageBatch': 'sqs:SendMessage',
  'sqs:DeleteMessageBatch': 'sqs:DeleteMessage',
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
};

/** Calls that AWS makes with the role. */
export const ON_BEHALF: ReadonlySet<string> = new Set([
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  'lambda:InvokeFunction',
  // Lambda's pollers, for the event source mapping.
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
  // Compute Optimizer creates its service-linked roles with the caller's permissions [security-iam].
  'iam:CreateServiceLinkedRole',
  'iam:PutRolePolicy',
  'iam:AttachRolePolicy',
]);

/** The IAM actions of every SDK command that any module of the handler's bundle uses. */
export async function callsOf(owner: string): Promise<ReadonlySet<string>> {
  const { metafile } = await build({
    entryPoints: [join(root, `services/${owner}/handler.ts`)],
    ...{ bundle: true, write: false, metafile: true, platform: 'node', format: 'esm' },
    ...{ external: ['*.node'], logLevel: 'error', absWorkingDir: root },
  });
  const calls = new Set<string>();
  for (const path of Object.keys(metafile.inputs)) {
    if (path.includes('node_modules')) continue;
    for (const action of actionsIn(read(path))) calls.add(action);
  }
  return calls;
}

/** The IAM actions of the SDK commands in a module. */
export function actionsIn(source: string): readonly string[] {
  return commandsIn(source).map((action) => ALIASES[action] ?? action);
}

export function commandsIn(source: string): readonly string[] {
  const imports = source.matchAll(/(?:import\s*|const\s*)\{([^}]*)\}\s*(?:from|= await import\()\s*'([^']+)'/g);
  return [...imports].flatMap(([, names = '', from = '']) => {
    const service = SERVICES[from.replace(/^(\.\.?\/)+/, '')];
    if (service === undefined) return [];
    const commands = [...names.matchAll(/\b(\w+)Command\b/g)].flatMap(([, name]) => name ?? []);
    return commands.filter((name) => source.includes(`new ${name}Command(`)).map((name) => `${service}:${name}`);
  });
}
