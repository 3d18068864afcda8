import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KINDS } from '../../shared/domain/enrollment/kinds/index.ts';
import { actionsIn, callsOf, commandsIn, FUNCTIONS, ON_BEHALF } from './calls.ts';
import { allows, roleStatements } from './table-rights.ts';
import { actionsOf, policyOf, read, resourceOf, statementsOf } from './template.ts';

/*
 * Compares each function's permissions with the SDK commands in the modules of its bundle. Handlers share the adapters, so commands that a
 * bundle contains but the function never calls are listed here, by function and with the reason. test/services/handlers/converge.test.ts
 * compares the real calls of the functions with the same roles.
 */

const CHANGE = KINDS.flatMap(({ service, actions }) => actions.map(({ operation }) => `${service}:${operation}`));
const OF_CALLER: readonly string[] = KINDS.flatMap(({ iamActions }) => iamActions.caller);
const OF_MEMBER: readonly string[] = KINDS.flatMap(({ iamActions }) => iamActions.member);
const READ = OF_CALLER.filter((action) => !CHANGE.includes(action));
const LIST_ORGANIZATION = [
  'organizations:ListAWSServiceAccessForOrganization',
  'organizations:ListAccounts',
  'organizations:ListAccountsForParent',
  'organizations:ListOrganizationalUnitsForParent',
  'organizations:ListRoots',
];
const READ_ACCOUNT = [
  'organizations:DescribeOrganization',
  'organizations:DescribeOrganizationalUnit',
  'organizations:ListDelegatedAdministrators',
  'organizations:ListParents',
  'organizations:ListTagsForResource',
];
const READ_TAG_INDEX = 'tag:GetResources';
const TAKE_WORK = ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'];

/** Commands that no function calls, although bundles contain them. */
const NEVER: Readonly<Record<string, string>> = {
  'dynamodb:DescribeTable': 'only `doctor` reads the description of the table',
  'sts:GetCallerIdentity': 'needs no permission [API_GetCallerIdentity]',
  's3:GetObject': 'granted by infra/policy-access.cjs, if the policy is in S3, and by infra/checkpoints.yml',
  'ssm:GetParameter': 'granted by infra/policy-access.cjs, if the policy is a parameter',
  ...Object.fromEntries(
    ['kms:GetPublicKey', 'kms:Sign', 's3:GetBucketObjectLockConfiguration', 's3:ListBucket', 's3:PutObject'].map(
      (action) => [action, 'granted to the tick by infra/checkpoints.yml, if checkpoints are signed'],
    ),
  ),
};

type Unused = readonly { readonly why: string; readonly actions: readonly string[] }[];
const UNUSED: Readonly<Record<(typeof FUNCTIONS)[number], Unused>> = {
  tick: [
    {
      why: 'it neither reads nor changes enrollments: it enqueues, publishes and requests scans',
      actions: [...READ, ...CHANGE, ...LIST_ORGANIZATION, ...READ_ACCOUNT, READ_TAG_INDEX, 'sts:AssumeRole'],
    },
    { why: 'single accounts are read after an event', actions: ['organizations:DescribeAccount'] },
    { why: 'it does not delete dead letters', actions: ['sqs:DeleteMessage'] },
  ],
  scanner: [
    { why: 'it only reads', actions: CHANGE },
    { why: 'it enqueues and receives nothing', actions: TAKE_WORK },
    { why: 'single accounts are read after an event', actions: ['organizations:DescribeAccount'] },
  ],
  worker: [
    { why: 'the tick publishes and requests scans', actions: ['events:PutEvents'] },
    { why: 'single accounts are read after an event', actions: ['organizations:DescribeAccount'] },
  ],
  reactor: [
    {
      why: 'it enqueues enrollments and does not read them',
      actions: [...READ, 'sts:AssumeRole'],
    },
    { why: 'it changes nothing', actions: CHANGE },
    { why: 'it reads single accounts', actions: [...LIST_ORGANIZATION, READ_TAG_INDEX] },
    { why: 'it enqueues and receives nothing', actions: TAKE_WORK },
    { why: 'the tick publishes and requests scans', actions: ['events:PutEvents'] },
    { why: 'it removes no register and marks no entry', actions: ['dynamodb:DeleteItem', 'dynamodb:UpdateItem'] },
  ],
  api: [
    {
      why: 'it reads only the stores; scanner and worker read and change AWS',
      actions: [
        ...READ,
        ...CHANGE,
        ...LIST_ORGANIZATION,
        ...READ_ACCOUNT,
        READ_TAG_INDEX,
        'organizations:DescribeAccount',
        'sts:AssumeRole',
      ],
    },
    { why: 'the tick publishes and requests scans', actions: ['events:PutEvents'] },
    { why: 'it stores no snapshots', actions: ['dynamodb:BatchWriteItem'] },
  ],
};

const sorted = (actions: readonly string[]): readonly string[] => [...actions].sort();

const roleOf = (name: string) =>
  statementsOf(resourceOf('infra/roles.yml', `${name[0]?.toUpperCase()}${name.slice(1)}Role`));

describe('least privilege', () => {
  it.each(FUNCTIONS)('%s may make the calls of its code, and no others', async (name) => {
    const made = await callsOf(name);
    expect(made.size).toBeGreaterThan(10);
    const allowed = new Set(actionsOf(roleOf(name)));
    const unused = UNUSED[name].flatMap(({ actions }) => actions);
    const needed = [...made].filter((action) => NEVER[action] === undefined && !unused.includes(action)).sort();
    expect(needed.filter((action) => !allowed.has(action))).toEqual([]);
    expect([...allowed].filter((action) => !needed.includes(action) && !ON_BEHALF.has(action))).toEqual([]);
    // A command listed as unused must be in the bundle, and must not be allowed.
    expect(unused.filter((action) => !made.has(action))).toEqual([]);
    expect(
      [...unused, ...Object.keys(NEVER)].filter((action) => allowed.has(action) && !ON_BEHALF.has(action)),
    ).toEqual([]);
  });

  it('only the tick changes or removes entries of the ledger; the others only add to it', () => {
    const ENTRY = ['chain#111122223333'];
    const CHANGES = ['UpdateItem', 'DeleteItem', 'BatchWriteItem'];
    const changing = FUNCTIONS.flatMap((name) =>
      CHANGES.filter((operation) => allows(name, operation, ENTRY)).map((operation) => `${name} ${operation}`),
    );
    expect(changing).toEqual(['tick UpdateItem', 'tick BatchWriteItem']);
    for (const name of FUNCTIONS) expect([name, allows(name, 'PutItem', ENTRY)]).toEqual([name, true]);
    // IAM allows a batch only if it allows every key.
    expect(allows('scanner', 'BatchWriteItem', ['facts#1', ...ENTRY])).toBe(false);
    expect(allows('scanner', 'BatchWriteItem', ['facts#1'])).toBe(true);
  });

  it('only functions that read the organization may store snapshots', () => {
    const storing = FUNCTIONS.filter((name) =>
      ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'].some((operation) =>
        allows(name, operation, ['facts#1']),
      ),
    );
    expect(storing).toEqual(['scanner', 'worker', 'reactor']);
  });

  it('no statement writes to the table without naming partition keys', () => {
    const writes = /^dynamodb:(?:Put|Update|Delete|BatchWrite)Item$/;
    for (const name of FUNCTIONS) {
      for (const { Action, Condition, Sid } of roleStatements(name)) {
        if (Action.some((action) => writes.test(action))) expect([name, Sid, Condition]).not.toContain(undefined);
      }
    }
  });

  it('the tick may make the calls for checkpoints, and no others, if they are signed', () => {
    const files = ['kms/checkpoint-signer', 's3/bucket', 's3/checkpoint-archive'];
    const made = new Set(files.flatMap((name) => actionsIn(read(`shared/adapters/aws/${name}.ts`))));
    const policy = resourceOf('infra/checkpoints.yml', 'TickCheckpointPolicy');
    expect(policy).toMatchObject({ Condition: 'HasCheckpoints', Properties: { RoleName: 'TickRole' } });
    expect(sorted(actionsOf(policyOf(policy)))).toEqual(sorted([...made]));
  });

  it('the member role allows only operations on the calling account', () => {
    const directory = resolve(import.meta.dirname, '../../shared/adapters/aws');
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const made = new Set(files.flatMap((name) => commandsIn(read(join('shared/adapters/aws', name)))));
    const ofServices = [...made].filter((action) => KINDS.some(({ service }) => action.startsWith(`${service}:`)));
    // These operations name or list other accounts, which only the management account and the delegated administrator can.
    const elsewhere = OF_CALLER.filter((action) => !OF_MEMBER.includes(action));
    expect(elsewhere.filter((action) => !made.has(action))).toEqual([]);
    const own = ofServices.filter((action) => !elsewhere.includes(action)).sort();
    const actions = (role: string) => actionsOf(statementsOf(resourceOf('infra/member-role.yml', role)));
    const asked = (role: string) =>
      actions(role)
        .filter((action) => !ON_BEHALF.has(action))
        .sort();
    expect(asked('MemberRole')).toEqual(own);
    expect(asked('ReaderRole')).toEqual(own.filter((action) => !CHANGE.includes(action)));
  });

  describe.each(KINDS)('the IAM actions of $title', ({ service, iamActions }) => {
    const allowed = (path: string, role: string) =>
      sorted(actionsOf(statementsOf(resourceOf(path, role))).filter((action) => action.startsWith(`${service}:`)));
    const reads = (actions: readonly string[]) => sorted(actions.filter((action) => !CHANGE.includes(action)));

    it('are granted to the worker, only the reads to the scanner, none to other functions', () => {
      expect(allowed('infra/roles.yml', 'WorkerRole')).toEqual(sorted(iamActions.caller));
      expect(allowed('infra/roles.yml', 'ScannerRole')).toEqual(reads(iamActions.caller));
      for (const name of ['TickRole', 'ReactorRole', 'ApiRole']) expect(allowed('infra/roles.yml', name)).toEqual([]);
    });

    it('are granted to the member role, only the reads to the reader role', () => {
      expect(allowed('infra/member-role.yml', 'MemberRole')).toEqual(sorted(iamActions.member));
      expect(allowed('infra/member-role.yml', 'ReaderRole')).toEqual(reads(iamActions.member));
    });
  });
});
