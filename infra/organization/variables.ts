import { isObject } from './objects.ts';

/*
 * The sources of the stack name the framework's variables; the organization template has parameters instead.
 */

/** The parameter of each variable of serverless.yml, apart from the policy's source, which has several. */
const PARAMETERS: Readonly<Record<string, string>> = {
  'sls:stage': 'Stage',
  'param:memberRole': 'MemberRole',
  'param:notifyBus': 'NotifyBus',
  'param:managementAccountId': 'ManagementAccountId',
  'param:organizationId': 'OrganizationId',
  'param:alarmTopicArn': 'AlarmTopicArn',
  'param:monitoring': 'Monitoring',
  'param:webhookUrl': 'WebhookUrl',
  'param:webhookSecret': 'WebhookSecret',
  'param:apiOperators': 'ApiOperators',
  'param:maxAccounts': 'MaxAccounts',
  'param:logRetentionInDays': 'LogRetentionInDays',
  'param:checkpointDays': 'CheckpointDays',
  'param:checkpointWitnesses': 'CheckpointWitnesses',
  'param:tracesEndpoint': 'TracesEndpoint',
  'param:tracesHeaders': 'TracesHeaders',
  // Checked by the parameters' patterns and values.
  'file(infra/stage.cjs):checked': 'Stage',
  'file(infra/monitoring.cjs):checked': 'Monitoring',
  'file(infra/checkpoints.cjs):checked': 'Checkpoints',
};
const POLICY_SOURCE = 'param:policySource';
const POLICY_ACCESS = 'file(infra/policy-access.cjs):policy';
const VARIABLE = /(?<!\\)\$\{((?:param|sls|opt|self|file)[:(][^}]*)\}/g;

/** Replaces the variables in a part of the template. @throws Error for a variable without a parameter */
export function withParameters(value: unknown): unknown {
  if (typeof value === 'string') return withReferences(value);
  if (Array.isArray(value)) {
    return value.flatMap((each) => (each === `\${${POLICY_ACCESS}}` ? policyAccess() : [withParameters(each)]));
  }
  if (!isObject(value)) return value;
  const text = value['Fn::Sub'];
  if (typeof text === 'string') return { 'Fn::Sub': substituted(text) };
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withParameters(inner)]));
}

function withReferences(text: string): unknown {
  const variables = [...text.matchAll(VARIABLE)];
  // The framework's escape.
  if (variables.length === 0) return text.replaceAll('\\${', '${');
  const [whole, name = ''] = variables[0] ?? [];
  if (name === POLICY_SOURCE) return policySource();
  return whole === text ? { Ref: parameterOf(name) } : { 'Fn::Sub': substituted(text) };
}

function substituted(text: string): string {
  return text.replaceAll(VARIABLE, (_, name: string) => `\${${parameterOf(name)}}`);
}

function parameterOf(name: string): string {
  const found = PARAMETERS[name];
  if (found === undefined) throw new Error(`\${${name}} has no parameter: add it to infra/organization/variables.ts`);
  return found;
}

/** Where the functions read the policy. */
function policySource(): unknown {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's reference
  const [s3, ssm] = ['s3://${PolicyBucket}/${PolicyKey}', 'ssm:${PolicyParameter}'];
  const otherwise = { 'Fn::If': ['PolicyInParameter', { 'Fn::Sub': ssm }, 'file:infra/policy.yaml'] };
  return { 'Fn::If': ['PolicyInBucket', { 'Fn::Sub': s3 }, otherwise] };
}

/** The permission to read it, as infra/policy-access.cjs computes it. */
function policyAccess(): readonly unknown[] {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's reference
  const object = 'arn:${AWS::Partition}:s3:::${PolicyBucket}/${PolicyKey}';
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's reference
  const parameter = 'arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${PolicyParameter}';
  const allowing = (Action: string, Resource: string) => ({
    PolicyName: 'read-policy',
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action, Resource: { 'Fn::Sub': Resource } }],
    },
  });
  const none = { Ref: 'AWS::NoValue' };
  const inParameter = { 'Fn::If': ['PolicyInParameter', allowing('ssm:GetParameter', parameter), none] };
  return [{ 'Fn::If': ['PolicyInBucket', allowing('s3:GetObject', object), inParameter] }];
}
