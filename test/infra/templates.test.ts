import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseTemplate } from '../../infra/organization/template-yaml.ts';
import { createTableInput } from '../../shared/adapters/aws/dynamodb/schema.ts';
import { createDeadLetterQueueInput, createQueueInput } from '../../shared/adapters/aws/sqs/queue-check.ts';
import { parsePolicy } from '../../shared/domain/policy/index.ts';
import { ALARMED, METRICS, MONITORING } from '../../shared/ports/metrics.ts';
import { actionsOf, read, readTemplate, resourceOf, statementsOf, TEMPLATES, trustOf } from './template.ts';

describe('the table', () => {
  const { Properties, ...table } = resourceOf('infra/table.yml', 'Table');

  it('has the keys and indexes that the stores expect', () => {
    const { TableName: _, ...wanted } = createTableInput('any');
    const { AttributeDefinitions, KeySchema, LocalSecondaryIndexes, GlobalSecondaryIndexes, BillingMode } = Properties;
    expect({ AttributeDefinitions, KeySchema, LocalSecondaryIndexes, GlobalSecondaryIndexes, BillingMode }).toEqual(
      wanted,
    );
  });

  it('can be restored, is encrypted, and survives the stack; nothing in it expires', () => {
    expect(Properties).toMatchObject({
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    });
    expect(Properties).not.toHaveProperty('TimeToLiveSpecification');
    expect(table).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });
});

describe('the queues', () => {
  const work = resourceOf('infra/queues.yml', 'WorkQueue').Properties;
  const dead = resourceOf('infra/queues.yml', 'DeadLetterQueue').Properties;

  it('have the settings that the stores expect', () => {
    const { Attributes: wanted = {} } = createQueueInput('any', 'DeadLetterQueue.Arn');
    expect(String(work['MaximumMessageSize'])).toBe(wanted['MaximumMessageSize']);
    expect(String(work['MessageRetentionPeriod'])).toBe(wanted['MessageRetentionPeriod']);
    expect(work['RedrivePolicy']).toEqual(JSON.parse(wanted['RedrivePolicy'] ?? ''));
    const { Attributes: buried = {} } = createDeadLetterQueueInput('any');
    expect(String(dead['MessageRetentionPeriod'])).toBe(buried['MessageRetentionPeriod']);
    // No lower size limit, so that a body fits together with its reason.
    expect(dead).not.toHaveProperty('MaximumMessageSize');
  });

  it('hide a received message for the maximum duration of a worker', () => {
    expect(Number(work['VisibilityTimeout'])).toBeGreaterThanOrEqual(workerTimeout());
  });

  it('are encrypted and reject requests without TLS', () => {
    for (const queue of [work, dead]) expect(queue['SqsManagedSseEnabled']).toBe(true);
    const { Properties } = resourceOf('infra/queues.yml', 'QueuePolicy');
    expect(Properties['Queues']).toEqual(['WorkQueue', 'DeadLetterQueue']);
    expect(Properties).toMatchObject({
      PolicyDocument: {
        Statement: [
          { Effect: 'Deny', Principal: '*', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        ],
      },
    });
  });
});

function workerTimeout(): number {
  const found = /\n {2}worker:\n(?: {4}.*\n)*? {4}timeout: (\d+)/.exec(read('serverless.yml'))?.[1];
  return Number(found ?? Number.NaN);
}

describe('the member role', () => {
  const member = resourceOf('infra/member-role.yml', 'MemberRole');

  it('trusts the worker, in this organization, with the external id', () => {
    const [trust, ...others] = trustOf(member);
    expect(others).toEqual([]);
    expect(trust).toMatchObject({ Effect: 'Allow', Action: ['sts:AssumeRole'] });
    expect(trust?.Condition).toEqual({
      ArnEquals: { 'aws:PrincipalArn': 'WorkerRoleArn' },
      StringEquals: { 'aws:PrincipalOrgID': 'OrganizationId', 'sts:ExternalId': 'ExternalId' },
    });
  });

  // IAM stores a role that is a principal by its unique id, so a role that is created again would be another one.
  it('names the role in a condition, so that the trust survives when the role is created again', () => {
    const account = (arn: unknown) => [`arn:\${AWS::Partition}:iam::\${Account}:root`, { Account: [4, [':', arn]] }];
    const first = account([0, 'WorkerRoleArn']);
    expect(trustOf(member)[0]?.Principal).toEqual({
      // Further roles can be in other accounts, which a template cannot compute.
      AWS: ['SeveralRoles', [',', [',', [first, [',', 'WorkerRoleArn']]]], first],
    });
    expect(trustOf(resourceOf('infra/member-role.yml', 'ReaderRole'))[0]?.Principal).toEqual({
      AWS: account('ScannerRoleArn'),
    });
  });

  it.each(['WorkerRoleArn', 'ScannerRoleArn'])('accepts no wildcard in %s, which would match other roles', (name) => {
    const { Parameters } = z
      .object({ Parameters: z.record(z.string(), z.looseObject({ AllowedPattern: z.string().optional() })) })
      .parse(parseTemplate('infra/member-role.yml', read('infra/member-role.yml')));
    const pattern = new RegExp(`^(?:${Parameters[name]?.AllowedPattern})$`);
    const arn = 'arn:aws:iam::111122223333:role/path/rollcall-prod-worker';
    expect([arn, `${arn}*`, `${arn}?`].map((each) => pattern.test(each))).toEqual([true, false, false]);
  });

  it('has a second role that trusts the scanner, and may only read', () => {
    const reader = resourceOf('infra/member-role.yml', 'ReaderRole');
    const [trust, ...others] = trustOf(reader);
    expect(others).toEqual([]);
    expect(trust?.Condition).toEqual({
      ArnEquals: { 'aws:PrincipalArn': 'ScannerRoleArn' },
      StringEquals: { 'aws:PrincipalOrgID': 'OrganizationId', 'sts:ExternalId': 'ExternalId' },
    });
    expect(actionsOf(statementsOf(reader))).toEqual([
      'compute-optimizer:GetEnrollmentStatus',
      'aco-automation:GetEnrollmentConfiguration',
      'cost-optimization-hub:ListEnrollmentStatuses',
    ]);
    expect(String(reader.Properties['RoleName'])).toMatch(/^\$\{RoleName\}Reader$/);
    const assumes = (role: string) =>
      statementsOf(resourceOf('infra/roles.yml', role)).find(({ Action }) =>
        [Action].flat().includes('sts:AssumeRole'),
      );
    expect(String(assumes('ScannerRole')?.Resource)).toMatch(/\}Reader$/);
    expect(String(assumes('WorkerRole')?.Resource)).toMatch(/memberRole\}$/);
  });

  it('allows exactly the calls of opting in and out', () => {
    const statements = statementsOf(member);
    const slr = (service: string, name: string) =>
      `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/aws-service-role/${service}/${name}`;
    const optimizer = slr('compute-optimizer.amazonaws.com', 'AWSServiceRoleForComputeOptimizer*');
    const hub = slr('cost-optimization-hub.bcm.amazonaws.com', 'AWSServiceRoleForCostOptimizationHub');
    const automation = slr('aco-automation.amazonaws.com', 'AWSServiceRoleForComputeOptimizerAutomation');
    expect(statements.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [
        [
          'compute-optimizer:GetEnrollmentStatus',
          'compute-optimizer:UpdateEnrollmentStatus',
          'aco-automation:GetEnrollmentConfiguration',
          'aco-automation:UpdateEnrollmentConfiguration',
          'cost-optimization-hub:ListEnrollmentStatuses',
          'cost-optimization-hub:UpdateEnrollmentStatus',
        ],
        '*',
      ],
      [['iam:CreateServiceLinkedRole'], optimizer],
      [['iam:PutRolePolicy'], optimizer],
      [['iam:CreateServiceLinkedRole'], hub],
      [['iam:CreateServiceLinkedRole'], automation],
      [['iam:PutRolePolicy', 'iam:AttachRolePolicy'], automation],
    ]);
  });
});

describe('roles', () => {
  it('have no wildcard actions', () => {
    for (const path of ['infra/roles.yml', 'infra/member-role.yml', 'infra/organizations-events.yml']) {
      for (const resource of Object.values(readTemplate(path).Resources)) {
        if (resource.Type !== 'AWS::IAM::Role') continue;
        expect(actionsOf(statementsOf(resource)).filter((action) => action.includes('*'))).toEqual([]);
      }
    }
  });

  it('name resources, or say why AWS offers nothing narrower', () => {
    for (const path of ['infra/roles.yml', 'infra/member-role.yml']) {
      const lines = read(path).split('\n');
      const wild = lines.flatMap((line, index) => (/Resource: '\*'/.test(line) ? [index] : []));
      expect(wild.length).toBeGreaterThan(0);
      for (const index of wild)
        expect([path, index, lines[index - 1]]).toEqual([path, index, expect.stringMatching(/# .*narrower/)]);
    }
  });
});

describe('all templates', () => {
  it('work in every partition', () => {
    for (const path of TEMPLATES) expect([path, /arn:aws[:-]/.test(read(path))]).toEqual([path, false]);
  });

  it('have function URLs, and outputs with them, only where AWS offers them', () => {
    const urls = TEMPLATES.filter((path) => path !== 'serverless.yml' && path !== 'infra/esbuild.yml')
      .flatMap((path) => Object.values(readTemplate(path).Resources))
      .filter(({ Type }) => Type === 'AWS::Lambda::Url');
    expect(urls).toMatchObject([{ Condition: 'HasFunctionUrls', Properties: { AuthType: 'AWS_IAM' } }]);
    // The resource that the framework would create has no condition.
    expect(read('serverless.yml')).not.toMatch(/^ {4}url:/m);
    expect(parseTemplate('infra/api.yml', read('infra/api.yml'))).toMatchObject({
      Conditions: { HasFunctionUrls: { 'Fn::Equals': [{ Ref: 'AWS::Partition' }, 'aws'] } },
      Outputs: { ApiUrl: { Condition: 'HasFunctionUrls' } },
    });
  });

  it('use existing metrics', () => {
    const named = new Set<string>();
    const alarms = read('infra/alarms.yml');
    for (const [, name = ''] of alarms.matchAll(/Namespace: Rollcall\n\s+MetricName: (\w+)/g)) named.add(name);
    for (const [, name = ''] of alarms.matchAll(/Namespace: Rollcall, MetricName: (\w+)/g)) named.add(name);
    for (const [, name = ''] of read('infra/dashboard.yml').matchAll(/\["Rollcall", "(\w+)"/g)) named.add(name);
    expect(named.size).toBeGreaterThan(8);
    expect([...named].filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
  });

  it('read exactly the metrics that `alarms` keeps, from the functions that send them', () => {
    const alarms = read('infra/alarms.yml');
    const services = [...alarms.matchAll(/MetricName: (\w+)\n\s+Dimensions:\n\s+- \{ Name: service, Value: (\w+) \}/g)];
    const inline = [...alarms.matchAll(/Namespace: Rollcall, MetricName: (\w+)/g)].map(([, name]) => `worker ${name}`);
    const named = services.map(([, name, service]) => `${service} ${name}`);
    const sent = Object.entries(ALARMED).flatMap(([service, names]) => names.map((name) => `${service} ${name}`));
    expect([...new Set([...named, ...inline])].sort()).toEqual(sent.sort());
  });

  it('have alarms and a dashboard only if the parameter asks for them', () => {
    const conditionsOf = (path: string) =>
      new Set(Object.values(readTemplate(path).Resources).map(({ Condition }) => Condition));
    expect([...conditionsOf('infra/alarms.yml')]).toEqual(['HasAlarms']);
    expect([...conditionsOf('infra/dashboard.yml')]).toEqual(['HasDashboard']);
    expect(read('infra/monitoring.cjs')).toContain(`['${MONITORING.join("', '")}']`);
  });

  it('have an explanation of each alarm in the operations manual', () => {
    const manual = read('docs/how-to/operate-aws.md');
    const names = [...read('infra/alarms.yml').matchAll(/AlarmName: rollcall-\$\{sls:stage\}-([a-z-]+)/g)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(9);
    expect(names.filter((name) => !manual.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('the bundled policy', () => {
  it('is valid and changes nothing', () => {
    const parsed = parsePolicy(read('infra/policy.yaml'), { file: 'infra/policy.yaml', now: Date.UTC(2026, 0, 1) });
    expect(parsed).toMatchObject({ ok: true, policy: { defaults: { mode: 'alert' }, rules: [] } });
  });
});

describe('the webhook', () => {
  it('is known only to the function that sends to it', () => {
    const lines = read('serverless.yml').split('\n');
    const owners = lines.flatMap((line, index) => {
      if (!/^\s+ROLLCALL_WEBHOOK_(?:URL|SECRET):/.test(line)) return [];
      return lines.slice(0, index).findLast((before) => /^ {2}\w+:$/.test(before)) ?? 'nobody';
    });
    expect(owners).toEqual(['  tick:', '  tick:']);
  });
});

describe('the example of a deny statement', () => {
  const { Statement } = z
    .object({ Version: z.literal('2012-10-17'), Statement: z.array(z.record(z.string(), z.unknown())) })
    .parse(JSON.parse(read('infra/examples/deny-direct-invoke.json')));

  it('denies every invocation of the API function except through its URL, in every partition', () => {
    expect(Statement).toEqual([
      {
        Sid: 'RollcallApiOnlyThroughItsUrl',
        Effect: 'Deny',
        Action: 'lambda:InvokeFunction',
        Resource: ['arn:*:lambda:*:*:function:rollcall-*-api', 'arn:*:lambda:*:*:function:rollcall-*-api:*'],
        // Even if the key is absent, as it may be in a direct call.
        Condition: { BoolIfExists: { 'lambda:InvokedViaFunctionUrl': 'false' } },
      },
    ]);
    expect(read('serverless.yml')).toMatch(/name: rollcall-\$\{sls:stage\}-api$/m);
    expect(read('docs/how-to/deploy-aws.md')).toContain('infra/examples/deny-direct-invoke.json');
  });
});
