import {
  ComputeOptimizerClient,
  paginateGetEnrollmentStatusesForOrganization,
  UpdateEnrollmentStatusCommand,
} from '@aws-sdk/client-compute-optimizer';
import { OrganizationsClient, paginateListAccounts } from '@aws-sdk/client-organizations';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import * as z from 'zod';
import { mapParallel } from '../../../shared/domain/map-parallel.ts';
import { answer, taskInput } from '../workbench.ts';

/*
 * The script that an engineer would write with the SDK instead of using a product: list the accounts that are not Active, assume the role of
 * each, enable the enrollment, report failures, and run again until nothing fails. `lanes` accounts are processed at a time; null: all.
 */

const { lanes, runs, boto3Attempts } = z
  .object({ lanes: z.number().nullable(), runs: z.number(), boto3Attempts: z.number().nullable() })
  .parse(taskInput());

/** Shared keep-alive connections, with the SDK's default limit. */
const requestHandler = new NodeHttpHandler({});

/**
 * boto3's retries: a random delay before retry n of at most 2^(n-1) seconds; three attempts in the mode `standard`, five in `legacy`, its default
 * [botocore/retries/standard.py, botocore/data/_retry.json]. Like boto3's, each client has its own retry quota.
 */
function settings() {
  if (boto3Attempts === null) return { requestHandler };
  const delayMs = (retry: number): number => Math.min(20_000, Math.random() * 1000 * 2 ** (retry - 1));
  return { requestHandler, retryStrategy: new ConfiguredRetryStrategy(boto3Attempts, delayMs) };
}

const sts = new STSClient(settings());
// Its only endpoint is in us-east-1; a configured endpoint does not imply the signing Region.
const organizations = new OrganizationsClient({ ...settings(), region: 'us-east-1' });
const management = new ComputeOptimizerClient(settings());
const { Account: managementAccountId } = await sts.send(new GetCallerIdentityCommand({}));

async function toSwitchOn(): Promise<string[]> {
  const open = new Set<string>();
  for await (const { Accounts = [] } of paginateListAccounts({ client: organizations }, {})) {
    for (const { Id, State } of Accounts) if (Id !== undefined && State === 'ACTIVE') open.add(Id);
  }
  const found: string[] = [];
  for await (const page of paginateGetEnrollmentStatusesForOrganization({ client: management }, {})) {
    for (const { accountId, status } of page.accountEnrollmentStatuses ?? []) {
      if (accountId !== undefined && open.has(accountId) && status !== 'Active') found.push(accountId);
    }
  }
  return found;
}

async function clientFor(accountId: string): Promise<ComputeOptimizerClient> {
  if (accountId === managementAccountId) return management;
  const RoleArn = `arn:aws:iam::${accountId}:role/RollcallMember`;
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'enroll' }));
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new Error(`no credentials for ${accountId}`);
  }
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  return new ComputeOptimizerClient({ ...settings(), credentials });
}

const errors: Record<string, number> = {};

/** @returns whether it was switched on */
async function switchOn(accountId: string): Promise<boolean> {
  try {
    const client = await clientFor(accountId);
    await client.send(new UpdateEnrollmentStatusCommand({ status: 'Active' }));
    return true;
  } catch (error) {
    const name = error instanceof Error ? error.name : String(error);
    errors[name] = (errors[name] ?? 0) + 1;
    return false;
  }
}

async function once(): Promise<number> {
  const accountIds = await toSwitchOn();
  const done = await mapParallel(accountIds, lanes ?? accountIds.length, switchOn);
  return done.filter((each) => !each).length;
}

const failedAfterEach: number[] = [];
for (let run = 1; run <= runs && failedAfterEach.at(-1) !== 0; run += 1) failedAfterEach.push(await once());
requestHandler.destroy();
answer({ failedAfterEach, errors });
