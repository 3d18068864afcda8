import type { LambdaEvent } from 'hono/aws-lambda';

const ACCOUNT = '111122223333';

/** The event of a function URL; `userArn` null: deployed without IAM. */
export function urlEvent(
  method: string,
  path: string,
  userArn: string | null,
  body?: unknown,
  headers: Record<string, string> = {},
): LambdaEvent {
  const [rawPath = '/', rawQueryString = ''] = path.split('?');
  const iam = {
    accessKey: 'AKIA',
    accountId: ACCOUNT,
    callerId: 'AIDA',
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: userArn ?? '',
    userId: 'AIDA',
  };
  return {
    ...{ version: '2.0', routeKey: '$default', rawPath, rawQueryString, isBase64Encoded: false },
    headers: { host: 'x.lambda-url.eu-central-1.on.aws', 'content-type': 'application/json', ...headers },
    body: body === undefined ? null : JSON.stringify(body),
    requestContext: {
      ...{
        accountId: ACCOUNT,
        apiId: 'x',
        authentication: null,
        domainName: 'x.lambda-url.eu-central-1.on.aws',
        domainPrefix: 'x',
      },
      authorizer: userArn === null ? {} : { iam },
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      ...{ requestId: '1', routeKey: '$default', stage: '$default', time: '', timeEpoch: 0 },
    },
  };
}

/** The second argument of a Lambda handler. */
export const urlContext = {
  awsRequestId: '1',
  callbackWaitsForEmptyEventLoop: false,
  functionName: 'api',
  functionVersion: '1',
  invokedFunctionArn: '',
  memoryLimitInMB: '512',
  logGroupName: '',
  logStreamName: '',
  getRemainingTimeInMillis: () => 30_000,
};
