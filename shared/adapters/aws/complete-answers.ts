import type { constructStack } from '@smithy/core/client';

/** The members of every successful answer of one operation, as paths: a member (`Organization.Id`), a list (`Tags[]`), a member of its items (`Tags[].Key`). */
export interface CompleteAnswer {
  readonly has: readonly string[];
  /** Every answer contains at least one of these lists. */
  readonly hasOneOf?: readonly string[];
  /** Members that a complete answer may lack, each with the reason. */
  readonly mayLack?: Readonly<Record<string, string>>;
}

const CAPACITY = { has: ['ConsumedCapacity'] };
const RESULT_PER_ENTRY: CompleteAnswer = { has: [], hasOneOf: ['Successful[]', 'Failed[]'] };
/** An empty answer is complete: the model has no members, or none that Rollcall needs. */
const NO_MEMBERS: CompleteAnswer = { has: [] };
const RESULT_PER_ACCOUNT: CompleteAnswer = { has: [], hasOneOf: ['accountIds[]', 'errors[]'] };

/**
 * Every operation that Rollcall calls; others are refused. A broken proxy can answer 200 with an empty body, which the SDK returns as `{}`. Without this
 * check, that would mean, for example, that the organization has no accounts. A test compares the entries with AWS's Smithy models.
 */
export const COMPLETE_ANSWERS = {
  organizations: {
    DescribeAccount: { has: ['Account.Id'] },
    DescribeOrganization: { has: ['Organization.Id', 'Organization.MasterAccountId'] },
    DescribeOrganizationalUnit: { has: ['OrganizationalUnit.Id', 'OrganizationalUnit.Name'] },
    ListAWSServiceAccessForOrganization: { has: ['EnabledServicePrincipals[].ServicePrincipal'] },
    ListAccounts: { has: ['Accounts[].Id'] },
    ListAccountsForParent: { has: ['Accounts[].Id'] },
    ListDelegatedAdministrators: { has: ['DelegatedAdministrators[].Id'] },
    ListOrganizationalUnitsForParent: { has: ['OrganizationalUnits[].Id', 'OrganizationalUnits[].Name'] },
    ListParents: { has: ['Parents[].Id'] },
    ListRoots: { has: ['Roots[].Id'] },
    ListTagsForResource: { has: ['Tags[].Key', 'Tags[].Value'] },
  },
  'compute-optimizer': {
    GetEnrollmentStatus: { has: ['status'] },
    GetEnrollmentStatusesForOrganization: { has: ['accountEnrollmentStatuses[].accountId'] },
    UpdateEnrollmentStatus: { has: ['status'] },
  },
  'aco-automation': {
    AssociateAccounts: RESULT_PER_ACCOUNT,
    DeleteOrganizationEnrollmentConfiguration: NO_MEMBERS,
    DisassociateAccounts: RESULT_PER_ACCOUNT,
    GetEnrollmentConfiguration: { has: ['status'] },
    // The other members of an account are checked one account at a time, in `cloud/responses.ts`.
    ListAccounts: { has: ['accounts[].accountId'] },
    ListOrganizationEnrollmentConfigurations: {
      has: ['organizationEnrollmentConfigurations[].targetId', 'organizationEnrollmentConfigurations[].targetType'],
    },
    PutOrganizationEnrollmentConfiguration: NO_MEMBERS,
    UpdateEnrollmentConfiguration: { has: ['status', 'lastUpdatedTimestamp'] },
  },
  'cost-optimization-hub': {
    ListEnrollmentStatuses: { has: ['items[].accountId'] },
    UpdateEnrollmentStatus: { has: ['status'] },
  },
  // The tags of each account are checked in `cloud/tag-index.ts`.
  tagging: { GetResources: { has: ['ResourceTagMappingList[].ResourceARN'] } },
  sts: {
    AssumeRole: {
      has: [
        'Credentials.AccessKeyId',
        'Credentials.SecretAccessKey',
        'Credentials.SessionToken',
        'Credentials.Expiration',
      ],
    },
    GetCallerIdentity: { has: ['Account', 'Arn'] },
  },
  dynamodb: {
    BatchGetItem: { has: ['Responses'], mayLack: { ConsumedCapacity: 'not requested' } },
    BatchWriteItem: { has: ['UnprocessedItems'], mayLack: { ConsumedCapacity: 'not requested' } },
    DeleteItem: CAPACITY,
    DescribeTable: { has: ['Table'] },
    // The answer for a missing item has no other member. Consumed capacity is requested to distinguish it from an empty answer.
    GetItem: CAPACITY,
    PutItem: CAPACITY,
    Query: { has: ['Items[]'] },
    UpdateItem: CAPACITY,
  },
  sqs: {
    ChangeMessageVisibilityBatch: RESULT_PER_ENTRY,
    DeleteMessageBatch: RESULT_PER_ENTRY,
    GetQueueAttributes: { has: ['Attributes'] },
    ReceiveMessage: { has: [], mayLack: { Messages: 'SQS leaves it out if there is no message' } },
    SendMessageBatch: RESULT_PER_ENTRY,
  },
  events: {
    DescribeEventBus: { has: ['Arn'] },
    PutEvents: { has: ['Entries[]'] },
  },
  s3: {
    CreateBucket: NO_MEMBERS,
    GetObject: { has: ['Body', 'ETag'] },
    GetObjectLockConfiguration: { has: ['ObjectLockConfiguration'] },
    HeadBucket: NO_MEMBERS,
    HeadObject: { has: ['ETag'] },
    ListObjectsV2: {
      has: ['IsTruncated', 'Prefix'],
      mayLack: {
        Contents: 'S3 leaves it out if there is no object',
        CommonPrefixes: 'S3 leaves it out if no key continues after the delimiter',
      },
    },
    PutObject: { has: ['ETag'] },
    PutPublicAccessBlock: NO_MEMBERS,
  },
  kms: {
    GetPublicKey: {
      has: ['KeyId', 'KeySpec', 'KeyUsage', 'PublicKey'],
      mayLack: {
        SigningAlgorithms: 'missing if the key is not for signatures',
        EncryptionAlgorithms: 'missing if the key is for signatures',
        KeyAgreementAlgorithms: 'missing if the key is for signatures',
        EncapsulationAlgorithms: 'missing if the key is for signatures',
      },
    },
    Sign: { has: ['KeyId', 'Signature', 'SigningAlgorithm'] },
  },
  cloudformation: {
    CreateChangeSet: { has: ['Id'] },
    DeleteChangeSet: NO_MEMBERS,
    DescribeChangeSet: {
      has: ['Status'],
      mayLack: {
        Changes: 'missing until CloudFormation has compared, and if no resource changes',
        Parameters: 'missing if the template has none',
        NotificationARNs: 'not used',
        Capabilities: 'not used',
        Tags: 'not used',
      },
    },
    DescribeStackEvents: { has: ['StackEvents[].EventId'] },
    DescribeStacks: { has: ['Stacks[].StackName', 'Stacks[].StackStatus'] },
    ExecuteChangeSet: NO_MEMBERS,
  },
  ssm: { GetParameter: { has: ['Parameter.Value'] } },
} satisfies Readonly<Record<string, Readonly<Record<string, CompleteAnswer>>>>;

export type CheckedService = keyof typeof COMPLETE_ANSWERS;

/** Error code of an answer that lacks a required member. */
export const INCOMPLETE_ANSWER = 'IncompleteAnswer';

/** The call succeeded, but the answer lacks a member that AWS always sends. */
export class IncompleteAnswerError extends Error {
  override readonly name = INCOMPLETE_ANSWER;
  readonly $metadata: unknown;

  constructor(missing: string, answer?: unknown) {
    super(`the answer lacks ${missing}`);
    this.$metadata = isObject(answer) ? answer['$metadata'] : undefined;
  }
}

interface Client<Input extends object, Output extends object> {
  readonly middlewareStack: ReturnType<typeof constructStack<Input, Output>>;
}

/** Makes `send` of the client throw IncompleteAnswerError for an incomplete answer. Every AWS client is created through this function. */
export function withCompleteAnswers<Input extends object, Output extends object, C extends Client<Input, Output>>(
  service: CheckedService,
  client: C & Client<Input, Output>,
): C {
  const operations: Readonly<Record<string, CompleteAnswer>> = COMPLETE_ANSWERS[service];
  client.middlewareStack.add(
    (next, { commandName = '' }) => {
      const operation = commandName.replace(/Command$/, '');
      const complete = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (complete === undefined) throw new Error(`${operation} of ${service} has no entry in COMPLETE_ANSWERS`);
      return async (args) => {
        const result = await next(args);
        const missing = missingFrom(result.output, complete);
        if (missing !== null) throw new IncompleteAnswerError(missing, result.output);
        return result;
      };
    },
    { step: 'initialize', priority: 'high', name: 'completeAnswers', override: true },
  );
  // Even without a logger, the SDK copies the members of each call and answer for the log, which takes a tenth of the processor time of a call.
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}

/** The first member that the answer lacks; `null` if it is complete. */
export function missingFrom(answer: unknown, { has, hasOneOf = [] }: CompleteAnswer): string | null {
  for (const path of has) {
    const missing = missingAt(answer, path.split('.'), '');
    if (missing !== null) return missing;
  }
  const lacking = hasOneOf.filter((path) => missingAt(answer, [path], '') !== null);
  return hasOneOf.length > 0 && lacking.length === hasOneOf.length
    ? hasOneOf.map((path) => path.replace('[]', '')).join(' and ')
    : null;
}

function missingAt(value: unknown, [step, ...rest]: readonly string[], above: string): string | null {
  if (step === undefined) return null;
  const isList = step.endsWith('[]');
  const name = isList ? step.slice(0, -2) : step;
  const path = above === '' ? name : `${above}.${name}`;
  const member = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  if (member === undefined || member === null) return path;
  if (!isList) return missingAt(member, rest, path);
  if (!Array.isArray(member)) return path;
  if (rest.length === 0) return null;
  for (const [index, item] of member.entries()) {
    const missing = missingAt(item, rest, `${path}[${index}]`);
    if (missing !== null) return missing;
  }
  return null;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
