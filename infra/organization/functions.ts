import * as z from 'zod';
import { withParameters } from './variables.ts';

/*
 * The resources that the framework makes of a function of serverless.yml. `npm run package` compares them with those that it really makes.
 */

const queue = z.strictObject({
  arn: z.unknown(),
  batchSize: z.number(),
  functionResponseType: z.string(),
  maximumConcurrency: z.number(),
});
const lambda = z.strictObject({
  handler: z.string(),
  name: z.string(),
  description: z.string(),
  role: z.string(),
  timeout: z.number(),
  memorySize: z.number().optional(),
  maximumRetryAttempts: z.number().optional(),
  maximumEventAge: z.number().optional(),
  environment: z.record(z.string(), z.unknown()).default({}),
  events: z.array(z.strictObject({ sqs: queue })).default([]),
});
export const functionsSchema = z.record(z.string(), lambda);

/** The settings of `provider` that all functions share. */
export const providerSchema = z.object({
  runtime: z.string(),
  architecture: z.string(),
  memorySize: z.number(),
  environment: z.record(z.string(), z.unknown()),
});
type Provider = z.infer<typeof providerSchema>;

/** @returns the resources by logical id */
export function functionResources(functions: z.infer<typeof functionsSchema>, provider: Provider) {
  return Object.fromEntries(
    Object.entries(functions).flatMap(([name, settings]) => resourcesOf(name, settings, provider)),
  );
}

function resourcesOf(name: string, settings: z.infer<typeof lambda>, provider: Provider) {
  const prefix = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const id = `${prefix}LambdaFunction`;
  const { maximumRetryAttempts, maximumEventAge } = settings;
  const asynchronous = {
    ...(maximumEventAge !== undefined && { MaximumEventAgeInSeconds: maximumEventAge }),
    ...(maximumRetryAttempts !== undefined && { MaximumRetryAttempts: maximumRetryAttempts }),
  };
  const invocation = { FunctionName: { Ref: id }, Qualifier: '$LATEST', ...asynchronous };
  return [
    [`${prefix}LogGroup`, logGroup(settings.name)],
    [id, functionResource(name, `${prefix}LogGroup`, settings, provider)],
    ...(Object.keys(asynchronous).length === 0
      ? []
      : [[`${prefix}LambdaEvConf`, { Type: 'AWS::Lambda::EventInvokeConfig', Properties: invocation }] as const]),
    ...settings.events.map(({ sqs }) => [`${prefix}EventSourceMapping`, mapping(id, sqs)] as const),
  ] as const;
}

function logGroup(functionName: string) {
  const LogGroupName = withParameters(`/aws/lambda/${functionName}`);
  const RetentionInDays = { Ref: 'LogRetentionInDays' };
  return { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName, RetentionInDays } };
}

function functionResource(name: string, logs: string, settings: z.infer<typeof lambda>, provider: Provider) {
  const { handler, description, role, timeout, memorySize, environment } = settings;
  return {
    Type: 'AWS::Lambda::Function',
    DependsOn: [logs],
    Properties: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's reference
      Code: { S3Bucket: { Ref: 'PackageBucket' }, S3Key: { 'Fn::Sub': '${PackagePrefix}'.concat(`${name}.zip`) } },
      Handler: handler,
      Runtime: provider.runtime,
      FunctionName: withParameters(settings.name),
      MemorySize: memorySize ?? provider.memorySize,
      Timeout: timeout,
      Architectures: [provider.architecture],
      Description: description,
      Environment: { Variables: withParameters({ ...provider.environment, ...environment }) },
      Role: { 'Fn::GetAtt': [role, 'Arn'] },
    },
  };
}

function mapping(functionId: string, { arn, ...settings }: z.infer<typeof queue>) {
  return {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      BatchSize: settings.batchSize,
      EventSourceArn: arn,
      FunctionName: { 'Fn::GetAtt': [functionId, 'Arn'] },
      Enabled: true,
      FunctionResponseTypes: [settings.functionResponseType],
      ScalingConfig: { MaximumConcurrency: settings.maximumConcurrency },
    },
  };
}
