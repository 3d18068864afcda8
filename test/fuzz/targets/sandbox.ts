import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { cbor } from '@smithy/core/cbor';
import { startSandbox } from '../../../services/sandbox/start.ts';
import { authorization, SIGNED_AT, START } from '../../services/sandbox/support.ts';
import type { Chance } from '../chance.ts';
import { jsonCorpusOf } from '../corpus.ts';
import { anyJson, jsonText, mutateBytes, mutateJson, mutateText, mutateTexts } from '../mutate.ts';
import { must, type Read, type Target, take } from '../target.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Accounts of the world: the management account, a member, the delegated administrator. */
type Ids = readonly [string, string, string];

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Kind = readonly [service: string, shape: string, operation: string, input: unknown];

/** A placeholder for the id of an existing account. */
const MEMBER = '100000000001';
const ids = [MEMBER, '000000000001', '123456789012'];
const CALLS: readonly [Kind, ...Kind[]] = [
  ['compute-optimizer', 'ComputeOptimizerService', 'GetEnrollmentStatus', {}],
  [
    'compute-optimizer',
    'ComputeOptimizerService',
    'UpdateEnrollmentStatus',
    { status: 'Active', includeMemberAccounts: false },
  ],
  [
    'compute-optimizer',
    'ComputeOptimizerService',
    'GetEnrollmentStatusesForOrganization',
    { filters: [{ name: 'Status', values: ['Active'] }], maxResults: 10, nextToken: 'x' },
  ],
  ['aco-automation', 'ComputeOptimizerAutomationService', 'GetEnrollmentConfiguration', {}],
  ['aco-automation', 'ComputeOptimizerAutomationService', 'ListAccounts', { maxResults: 5, nextToken: 'y' }],
  [
    'aco-automation',
    'ComputeOptimizerAutomationService',
    'UpdateEnrollmentConfiguration',
    { status: 'Active', organizationRuleMode: 'AnyAllowed', clientToken: 'a'.repeat(32) },
  ],
  [
    'aco-automation',
    'ComputeOptimizerAutomationService',
    'AssociateAccounts',
    { accountIds: ids, clientToken: 'b'.repeat(32) },
  ],
  ['aco-automation', 'ComputeOptimizerAutomationService', 'DisassociateAccounts', { accountIds: ids }],
  ['organizations', 'AWSOrganizationsV20161128', 'ListAccounts', { MaxResults: 5, NextToken: 'z' }],
  ['organizations', 'AWSOrganizationsV20161128', 'DescribeAccount', { AccountId: MEMBER }],
  ['organizations', 'AWSOrganizationsV20161128', 'ListParents', { ChildId: MEMBER }],
  ['organizations', 'AWSOrganizationsV20161128', 'ListTagsForResource', { ResourceId: MEMBER }],
  [
    'events',
    'AWSEvents',
    'PutEvents',
    { Entries: [{ Source: 'a', DetailType: 'b', Detail: '{}', EventBusName: 'default' }] },
  ],
];
const STS = [
  'Action=GetCallerIdentity&Version=2011-06-15',
  `Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A${MEMBER}%3Arole%2FRollcallMember&RoleSessionName=s&DurationSeconds=900`,
] as const;

/** A header as a client can send it. */
const headerText = (text: string): string => text.replace(/[^\x20-\x7e\x80-\xff]/g, '?');

function stsCase(chance: Chance): Sent {
  const body = Buffer.from(mutateTexts(chance.pick(STS), chance));
  const headers = {
    authorization: authorization(MEMBER, 'sts'),
    'x-amz-date': SIGNED_AT,
    'content-type': 'application/x-www-form-urlencoded',
  };
  return { method: 'POST', path: '/', headers, body };
}

function signedAs(callers: Ids, service: string, chance: Chance): Record<string, string> {
  const signed: Record<string, string> = {
    authorization: authorization(chance.pick(callers), service),
    'x-amz-date': SIGNED_AT,
  };
  if (chance.oneIn(12)) signed['authorization'] = headerText(mutateText(signed['authorization'] ?? '', chance));
  if (chance.oneIn(20)) signed['x-amz-security-token'] = headerText(mutateText('token', chance));
  return signed;
}

const SPEAKS_CBOR: ReadonlySet<string> = new Set(['compute-optimizer', 'aco-automation']);

function wireCase(chance: Chance, callers: Ids): Sent {
  if (chance.oneIn(8)) return stsCase(chance);
  const [service, shape, operation, input] = chance.pick(CALLS);
  const signed = signedAs(callers, service, chance);
  const odd = chance.oneIn(20);
  const withIds = jsonText(input).replaceAll(MEMBER, callers[1]);
  const name = odd ? headerText(mutateText(operation, chance)) : operation;
  const value = chance.oneIn(10) ? anyJson(chance) : mutateJson(chance.oneIn(8) ? input : JSON.parse(withIds), chance);
  const untouched = chance.oneIn(6) && !odd;
  if (chance.oneIn(2) && SPEAKS_CBOR.has(service)) {
    const bytes = untouched ? cbor.serialize(JSON.parse(withIds)) : cborBytes(value);
    return {
      method: 'POST',
      path: `/service/${encodeURIComponent(shape)}/operation/${odd ? encodeURIComponent(name) : name}`,
      headers: { ...signed, 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' },
      body: !untouched && chance.oneIn(2) ? mutateBytes(bytes, chance) : bytes,
    };
  }
  const version = SPEAKS_CBOR.has(service) ? '1.0' : '1.1';
  const headers = {
    ...signed,
    'x-amz-target': `${shape}.${name}`,
    'content-type': `application/x-amz-json-${version}`,
  };
  const body = Buffer.from(untouched ? withIds : jsonText(value));
  return {
    method: chance.oneIn(40) ? 'GET' : 'POST',
    path: '/',
    headers,
    body: !untouched && chance.oneIn(3) ? mutateBytes(body, chance) : body,
  };
}

function cborBytes(value: unknown): Uint8Array {
  try {
    return cbor.serialize(value);
  } catch (error) {
    // The codec refuses some JSON values. Instead send arrays nested as deeply as the body allows.
    if (error instanceof Error) return new Uint8Array(100_000).fill(0x81);
    throw error;
  }
}

const CONTROLS: readonly [readonly [string, unknown], ...(readonly [string, unknown])[]] = [
  ['accounts', { add: [{ name: 'a', ou: '/A', tags: { a: 'b' }, state: 'ACTIVE', roleAssumable: true }] }],
  ['accounts', { update: [{ accountId: '000000000001', name: 'b' }], remove: [MEMBER] }],
  ['clock', { advance: '24h' }],
  ['drift', { accounts: 5, seed: 3 }],
  [
    'drift',
    { changes: [{ accountId: MEMBER, enrollment: 'automation', status: 'Active' }], actor: 'arn:aws:iam::1:user/a' },
  ],
  [
    'faults',
    {
      faults: [
        { service: 'sts', operation: 'AssumeRole', kind: 'throttle', probability: 0.5, from: 1, count: 2, code: 'A' },
      ],
    },
  ],
  ['trusted-access', { enabled: true }],
  ['calls', {}],
  ['events', {}],
  ['info', {}],
];

function controlCase(chance: Chance, callers: Ids): Sent {
  if (chance.oneIn(40)) return { method: 'POST', path: '/_sandbox/reset', headers: {}, body: Buffer.alloc(0) };
  const [name, input] = chance.pick(CONTROLS);
  const path = chance.oneIn(20) ? encodeURI(mutateText(name, chance).toWellFormed()).replace(/[\s#]/g, '') : name;
  const withIds: unknown = JSON.parse(jsonText(input).replaceAll(MEMBER, callers[1]));
  const body = Buffer.from(jsonText(mutateJson(withIds, chance)));
  const method = chance.oneIn(4) ? 'GET' : 'POST';
  return {
    method,
    path: `/_sandbox/${path}`,
    headers: {},
    body: method === 'GET' ? Buffer.alloc(0) : chance.oneIn(6) ? mutateBytes(body, chance) : body,
  };
}

function send(endpoint: string, agent: Agent, { method, path, headers, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${endpoint}`,
      { agent, method, path, headers: { ...headers, 'content-length': body.byteLength } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
        response.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Checks that a client can read the answer and that it is not an internal error of the sandbox. */
function check(answer: Answer, input: string): 'accepted' | 'refused' {
  const type = String(answer.headers['content-type']);
  const text = type === 'application/cbor' ? jsonText(cbor.deserialize(answer.body)) : answer.body.toString('utf8');
  if (type.includes('json')) JSON.parse(text);
  must(!text.includes('"now":null'), 'the clock is broken', input);
  must(!text.includes('InternalFailure'), `answers ${answer.status}: ${text.slice(0, 600)}`, input);
  must(answer.status < 500 || text.includes('Exception'), `answers ${answer.status}`, input);
  return answer.status === 200 ? 'accepted' : 'refused';
}

function target(name: string, share: number, make: (chance: Chance, callers: Ids) => Sent): Target {
  return {
    name,
    share,
    open: async () => {
      const options = { accounts: 20, port: 0, clock: { now: () => START } } as const;
      let running = await startSandbox(options);
      const members = running.sandbox.accounts().map(({ accountId }) => accountId);
      const callers: Ids = [
        running.info.managementAccountId,
        members.at(-1) ?? MEMBER,
        running.info.delegatedAdministratorId,
      ];
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      let sent = 0;
      const read = (asked: Sent): Read => {
        const input = jsonText({ ...asked, body: Buffer.from(asked.body).toString('base64') });
        const once = take(
          input,
          async () => {
            // A fresh organization from time to time, because added accounts accumulate.
            sent += 1;
            if (sent % 2_000 === 0) {
              await running.close();
              running = await startSandbox(options);
            }
            return check(await send(running.endpoint, agent, asked), input);
          },
          () => false,
        );
        return once;
      };
      return {
        make: (chance) => read(make(chance, callers)),
        corpus: jsonCorpusOf(name).map((value) => read(control(value))),
        close: async () => {
          agent.destroy();
          await running.close();
        },
      };
    },
  };
}

/** A request of the corpus: `[path, body]` of a control endpoint, else of Compute Optimizer in awsJson. */
function control(value: unknown): Sent {
  const [path, body] = Array.isArray(value) ? value : [];
  return {
    method: 'POST',
    path: String(path),
    headers: {
      authorization: authorization(MEMBER, 'compute-optimizer'),
      'x-amz-date': SIGNED_AT,
      'x-amz-target': 'ComputeOptimizerService.UpdateEnrollmentStatus',
      'content-type': 'application/x-amz-json-1.0',
    },
    body: Buffer.from(jsonText(body)),
  };
}

export const wireTarget = target('sandbox-wire', 25, wireCase);
export const controlTarget = target('sandbox-control', 6, controlCase);
