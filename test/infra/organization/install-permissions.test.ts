import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { read } from '../template.ts';

/** The permission that creates a resource of a type. */
const CREATES: Readonly<Record<string, string>> = {
  'AWS::CloudFormation::StackSet': 'cloudformation:CreateStackSet',
  'AWS::CloudWatch::Alarm': 'cloudwatch:PutMetricAlarm',
  'AWS::CloudWatch::Dashboard': 'cloudwatch:PutDashboard',
  'AWS::DynamoDB::Table': 'dynamodb:CreateTable',
  'AWS::Events::Archive': 'events:CreateArchive',
  'AWS::Events::EventBus': 'events:CreateEventBus',
  'AWS::Events::EventBusPolicy': 'events:PutPermission',
  'AWS::Events::Rule': 'events:PutRule',
  'AWS::IAM::Role': 'iam:CreateRole',
  'AWS::IAM::RolePolicy': 'iam:PutRolePolicy',
  'AWS::KMS::Alias': 'kms:CreateAlias',
  'AWS::KMS::Key': 'kms:CreateKey',
  'AWS::Lambda::EventInvokeConfig': 'lambda:PutFunctionEventInvokeConfig',
  'AWS::Lambda::EventSourceMapping': 'lambda:CreateEventSourceMapping',
  'AWS::Lambda::Function': 'lambda:CreateFunction',
  'AWS::Lambda::Permission': 'lambda:AddPermission',
  'AWS::Lambda::Url': 'lambda:CreateFunctionUrlConfig',
  'AWS::Logs::LogGroup': 'logs:CreateLogGroup',
  'AWS::Organizations::ResourcePolicy': 'organizations:PutResourcePolicy',
  'AWS::S3::Bucket': 's3:CreateBucket',
  'AWS::S3::BucketPolicy': 's3:PutBucketPolicy',
  'AWS::SQS::Queue': 'sqs:CreateQueue',
  'AWS::SQS::QueuePolicy': 'sqs:SetQueueAttributes',
  'AWS::Scheduler::Schedule': 'scheduler:CreateSchedule',
};

const { Resources } = z
  .object({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) })
  .parse(JSON.parse(read('infra/organization.template.json')));
const { Statement } = z
  .object({ Statement: z.array(z.looseObject({ Effect: z.literal('Allow'), Action: z.array(z.string()) })) })
  .parse(JSON.parse(read('infra/examples/install-permissions.json')));
const allowed = Statement.flatMap(({ Action }) => Action);

describe('the permissions to install', () => {
  it('create every type of resource in the template, and no other service’s', () => {
    const types = [...new Set(Object.values(Resources).map(({ Type }) => Type))].sort();
    expect(Object.keys(CREATES).sort()).toEqual(types);
    expect(Object.values(CREATES).filter((action) => !allowed.includes(action))).toEqual([]);
    const services = new Set([...Object.values(CREATES), 's3:', 'sts:'].map((action) => action.split(':')[0]));
    expect(allowed.filter((action) => !services.has(action.split(':')[0]))).toEqual([]);
  });

  it('have no wildcard actions, and do not delete the table', () => {
    expect(allowed.filter((action) => action.includes('*'))).toEqual([]);
    expect(allowed).not.toContain('dynamodb:DeleteTable');
  });

  it('neither sign with the key of checkpoints nor remove it or its bucket', () => {
    for (const action of ['kms:Sign', 'kms:ScheduleKeyDeletion', 's3:DeleteBucket', 's3:BypassGovernanceRetention']) {
      expect(allowed).not.toContain(action);
    }
  });

  it('allow the calls of `rollcall install`', () => {
    const sources = ['bucket', 'stack', 'installation'].map((name) =>
      read(`shared/adapters/aws/installation/${name}.ts`),
    );
    const called = sources.flatMap((text) => [...text.matchAll(/'((?:s3|cloudformation|organizations|sts):\w+)'/g)]);
    expect(called.length).toBeGreaterThan(9);
    expect(called.flatMap(([, action]) => action ?? []).filter((action) => !allowed.includes(action))).toEqual([]);
  });
});
