/** CloudTrail events in the form that EventBridge delivers [eb-service-event-cloudtrail]. */
export interface SampleOptions {
  readonly account: string;
  /** Epoch ms. */
  readonly at: number;
  readonly requestId?: string;
  readonly actor?: string;
  readonly region?: string;
  readonly detailType?: string;
  /** Additional or replaced members of the detail. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export const JANE = (account: string) => `arn:aws:sts::${account}:assumed-role/Admin/jane`;

export function recorded(eventSource: string, eventName: string, options: SampleOptions) {
  const { account, at, region = 'eu-central-1', actor = JANE(account), detail = {} } = options;
  const time = `${new Date(at).toISOString().slice(0, 19)}Z`;
  return {
    version: '0',
    id: '6f87d04b-9f74-4f04-a780-7acf4b0a9b38',
    'detail-type': options.detailType ?? 'AWS API Call via CloudTrail',
    source: `aws.${eventSource.split('.')[0]}`,
    account,
    time,
    region,
    resources: [],
    detail: {
      eventVersion: '1.11',
      userIdentity: {
        type: 'AssumedRole',
        principalId: 'AROAEXAMPLE:jane',
        arn: actor,
        accountId: account,
        accessKeyId: 'ASIAEXAMPLE',
        sessionContext: { sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${account}:role/Admin` } },
      },
      eventTime: time,
      eventSource,
      eventName,
      awsRegion: region,
      sourceIPAddress: '192.0.2.1',
      userAgent: 'aws-cli/2.22.0',
      requestParameters: null,
      responseElements: null,
      requestID: options.requestId ?? 'b8c0e2b1-9d5e-4b0f-8c39-1f1f0f3a0001',
      eventID: '8f9b6b2d-0c7c-4c0e-a1de-2f4c5b6d7e8f',
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: account,
      eventCategory: 'Management',
      ...detail,
    },
  };
}

export const COMPUTE_OPTIMIZER = ['computeoptimizer.amazonaws.com', 'compute-optimizer.amazonaws.com'] as const;

export function optedOut(
  account: string,
  at: number,
  options: Partial<SampleOptions> & { readonly source?: string } = {},
) {
  const { source = COMPUTE_OPTIMIZER[0], ...rest } = options;
  return recorded(source, 'UpdateEnrollmentStatus', {
    ...{ account, at, detail: { requestParameters: { status: 'Inactive' } } },
    ...rest,
  });
}

export function batchOf(
  operation: 'AssociateAccounts' | 'DisassociateAccounts',
  accountIds: readonly string[],
  options: SampleOptions,
) {
  const detail = { requestParameters: { accountIds, clientToken: 'token' }, ...options.detail };
  return recorded('aco-automation.amazonaws.com', operation, { ...options, detail });
}

const ORGANIZATIONS = 'organizations.amazonaws.com';
const US_EAST_1 = { region: 'us-east-1' };

/** A call to Organizations, made in the management account. */
export function organizationCall(
  eventName: string,
  requestParameters: Readonly<Record<string, unknown>>,
  options: SampleOptions,
) {
  return recorded(ORGANIZATIONS, eventName, {
    ...US_EAST_1,
    ...options,
    detail: { requestParameters, ...options.detail },
  });
}

/** A service event of Organizations, without a request. */
export function organizationNews(
  eventName: string,
  serviceEventDetails: Readonly<Record<string, unknown>>,
  options: SampleOptions,
) {
  return recorded(ORGANIZATIONS, eventName, {
    ...US_EAST_1,
    detailType: 'AWS Service Event via CloudTrail',
    ...options,
    detail: {
      userIdentity: { accountId: options.account, invokedBy: 'AWS Internal' },
      eventType: 'AwsServiceEvent',
      requestID: undefined,
      serviceEventDetails,
      ...options.detail,
    },
  });
}
