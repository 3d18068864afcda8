import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { portOf } from './local-server.ts';

/** A stack as the server keeps it. */
interface Stored {
  status: string;
  /** The state after the next answer; `null`: nothing is in progress. */
  next: string | null;
  parameters: Map<string, string>;
  templateUrl: string;
  /** The deployment in progress; its parameters become those of the stack. */
  changeSet: {
    readonly status: string;
    readonly reason: string;
    readonly parameters: Map<string, string>;
    readonly templateUrl: string;
  } | null;
}

export interface CloudFormationServer {
  readonly endpoint: string;
  readonly stacks: Map<string, Stored>;
  /** The objects by `bucket/key`. */
  readonly objects: Map<string, Uint8Array>;
  readonly buckets: Set<string>;
  /** The operations in the order in which they came: `CreateChangeSet`, `PUT bucket/key`. */
  readonly calls: string[];
  /** Makes an operation fail with this code and message. */
  readonly failures: Map<string, { readonly status: number; readonly code: string; readonly message: string }>;
  /** The reason why the next execution fails; `null`: it succeeds. */
  failure: string | null;
  /** What the next change sets do, as the elements of `Changes`. */
  changes: string;
}

/** One element of `Changes`. */
export const changeElement = (action: string, resource: string, replacement = 'False'): string =>
  `<member><ResourceChange><Action>${action}</Action><LogicalResourceId>${resource}</LogicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType><Replacement>${replacement}</Replacement></ResourceChange></member>`;
const ADDS_TABLE = changeElement('Add', 'Table');

/**
 * CloudFormation and S3, as far as an installation uses them, over their protocols (Query and REST-XML). A change set without new values is refused as
 * CloudFormation refuses it. An executed change set is in progress when the stack is next described, and complete after that.
 */
export async function startCloudFormation(): Promise<CloudFormationServer> {
  const state = {
    ...{ stacks: new Map<string, Stored>(), objects: new Map<string, Uint8Array>(), buckets: new Set<string>() },
    ...{ calls: [] as string[], failures: new Map(), failure: null, endpoint: '', changes: ADDS_TABLE },
  };
  const server: CloudFormationServer = state;
  const http = createServer((request, response) => void answer(server, request, response));
  state.endpoint = `http://127.0.0.1:${await portOf(http)}`;
  return server;
}

async function answer(server: CloudFormationServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { pathname } = new URL(request.url ?? '/', 'http://local');
  const isQuery = request.headers['content-type']?.includes('x-www-form-urlencoded') === true;
  const form = isQuery ? new URLSearchParams(body.toString()) : null;
  const operation = form?.get('Action') ?? `${request.method} ${pathname.slice(1)}`;
  server.calls.push(operation);
  const send = (status: number, text: string) =>
    response.writeHead(status, { 'content-type': 'text/xml', etag: '"1"' }).end(text);
  const refused = server.failures.get(operation);
  if (refused !== undefined) return void send(refused.status, errorText(form !== null, refused.code, refused.message));
  const isNewBucket = request.method === 'PUT' && /^\/[^/]+\/?$/.test(pathname) && !(request.url ?? '').includes('?');
  // A bucket of the same name in another account must never get the template.
  if (form === null && !isNewBucket && request.headers['x-amz-expected-bucket-owner'] === undefined)
    return void send(400, errorText(false, 'OwnerMissing', `${operation} does not say who owns the bucket`));
  if (form === null) return void s3(server, request.method ?? 'GET', pathname.slice(1), body, send);
  try {
    send(200, resultText(operation, query(server, operation, form)));
  } catch (error) {
    send(400, errorText(true, 'ValidationError', error instanceof Error ? error.message : String(error)));
  }
}

const errorText = (isQuery: boolean, code: string, message: string): string => {
  const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return isQuery ? `<ErrorResponse>${error}<RequestId>r</RequestId></ErrorResponse>` : error;
};
const resultText = (operation: string, inner: string): string =>
  `<${operation}Response><${operation}Result>${inner}</${operation}Result></${operation}Response>`;

type Send = (status: number, text: string) => unknown;

function s3(
  { buckets, objects }: CloudFormationServer,
  method: string,
  path: string,
  body: Uint8Array,
  send: Send,
): void {
  const [bucket = '', ...rest] = path.split('/');
  const isObject = rest.join('/') !== '';
  if (method === 'PUT') {
    if (isObject) objects.set(path, body);
    else buckets.add(bucket);
    send(200, '');
  } else send((isObject ? objects.has(path) : buckets.has(bucket)) ? 200 : 404, '');
}

function query(server: CloudFormationServer, operation: string, form: URLSearchParams): string {
  const name = form.get('StackName') ?? '';
  const stack = server.stacks.get(name);
  if (operation === 'CreateChangeSet') return createChangeSet(server, name, form);
  if (stack === undefined) throw new Error(`Stack with id ${name} does not exist`);
  switch (operation) {
    case 'DescribeStacks':
      return describeStack(name, stack);
    case 'DeleteChangeSet':
      stack.changeSet = null;
      return '';
    case 'DescribeChangeSet':
      return `<Status>${stack.changeSet?.status}</Status><StatusReason>${stack.changeSet?.reason}</StatusReason><Changes>${server.changes}</Changes>`;
    case 'ExecuteChangeSet':
      execute(server, stack);
      return '';
    case 'DescribeStackEvents':
      return `<StackEvents>${events(server)}</StackEvents>`;
    default:
      throw new Error(`${operation} is not simulated`);
  }
}

function createChangeSet(server: CloudFormationServer, name: string, form: URLSearchParams): string {
  const before = server.stacks.get(name);
  const parameters = new Map<string, string>();
  for (let at = 1; form.has(`Parameters.member.${at}.ParameterKey`); at += 1) {
    const key = form.get(`Parameters.member.${at}.ParameterKey`) ?? '';
    const value = form.get(`Parameters.member.${at}.ParameterValue`);
    parameters.set(key, value ?? before?.parameters.get(key) ?? '');
  }
  const templateUrl = form.get('TemplateURL') ?? '';
  const isSame =
    before !== undefined &&
    before.templateUrl === templateUrl &&
    [...parameters].every(([key, value]) => before.parameters.get(key) === value);
  const reason = isSame ? "The submitted information didn't contain changes." : '';
  const changeSet = { status: isSame ? 'FAILED' : 'CREATE_COMPLETE', reason, parameters, templateUrl };
  const created = { status: 'REVIEW_IN_PROGRESS', next: null, parameters: new Map(), templateUrl: '' };
  server.stacks.set(name, { ...(before ?? created), changeSet });
  return '<Id>arn:change-set</Id>';
}

function execute(server: CloudFormationServer, stack: Stored): void {
  const isNew = stack.status === 'REVIEW_IN_PROGRESS';
  stack.status = isNew ? 'CREATE_IN_PROGRESS' : 'UPDATE_IN_PROGRESS';
  if (server.failure !== null) stack.next = isNew ? 'ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE';
  else {
    stack.next = isNew ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE';
    stack.parameters = stack.changeSet?.parameters ?? stack.parameters;
    stack.templateUrl = stack.changeSet?.templateUrl ?? stack.templateUrl;
  }
  stack.changeSet = null;
}

function describeStack(name: string, stack: Stored): string {
  const { status, parameters } = stack;
  stack.status = stack.next ?? status;
  stack.next = null;
  const members = [...parameters]
    .map(
      ([key, value]) => `<member><ParameterKey>${key}</ParameterKey><ParameterValue>${value}</ParameterValue></member>`,
    )
    .join('');
  const outputs = '<member><OutputKey>TableName</OutputKey><OutputValue>rollcall-prod</OutputValue></member>';
  return `<Stacks><member><StackName>${name}</StackName><StackStatus>${status}</StackStatus><CreationTime>2030-01-01T00:00:00Z</CreationTime><Parameters>${members}</Parameters><Outputs>${outputs}</Outputs></member></Stacks>`;
}

function events({ failure }: CloudFormationServer): string {
  const at = '2100-01-01T00:00:00Z';
  const [status, reason] = failure === null ? ['CREATE_COMPLETE', ''] : ['CREATE_FAILED', failure];
  return `<member><EventId>1</EventId><StackId>s</StackId><StackName>s</StackName><Timestamp>${at}</Timestamp><LogicalResourceId>MembersStackSet</LogicalResourceId><ResourceType>AWS::CloudFormation::StackSet</ResourceType><ResourceStatus>${status}</ResourceStatus><ResourceStatusReason>${reason}</ResourceStatusReason></member>`;
}
