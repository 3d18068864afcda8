import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DescribeOrganizationCommand, ListRootsCommand, type OrganizationsClient } from '@aws-sdk/client-organizations';
import { S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import * as z from 'zod';
import type { Network } from '../../../domain/network.ts';
import { type Installation, type InstallationAccount, InstallationError } from '../../../ports/installation.ts';
import type { Clock } from '../../../ports/system.ts';
import { clientSettings } from '../client-settings.ts';
import { organizationsClient } from '../cloud/clients.ts';
import { withCompleteAnswers } from '../complete-answers.ts';
import { ensureBucket, upload } from './bucket.ts';
import { calling, isDenied } from './errors.ts';
import { StackDeployment } from './stack.ts';

const CONNECT_MS = 5_000;
/** Enough for a package over a slow connection. */
const REQUEST_MS = 120_000;
/** A person waits, so a throttled or failed call is retried by the SDK. */
const ATTEMPTS = 5;

const identity = z.object({ Account: z.string(), Arn: z.string() });
const organization = z.object({ Organization: z.object({ Id: z.string(), MasterAccountId: z.string() }) });
const roots = z.object({ Roots: z.array(z.object({ Id: z.string() })).min(1) });

/** The calls of `rollcall install`. */
export function createInstallation({
  clock,
  network,
}: {
  readonly clock: Clock;
  readonly network: Network;
}): Installation {
  const settings = { ...clientSettings(CONNECT_MS, REQUEST_MS, network), maxAttempts: ATTEMPTS };
  const sts = withCompleteAnswers('sts', new STSClient(settings));
  const s3 = withCompleteAnswers('s3', new S3Client(settings));
  const cloudFormation = withCompleteAnswers('cloudformation', new CloudFormationClient(settings));
  const organizations = organizationsClient(settings, () => cloudFormation.config.region());
  const stack = new StackDeployment(cloudFormation, clock);
  let known: InstallationAccount | null = null;
  let suffix = 'amazonaws.com';

  async function account(): Promise<InstallationAccount> {
    if (known !== null) return known;
    const region = await regionOf(cloudFormation);
    const own = identity.parse(
      await calling('sts:GetCallerIdentity', () => sts.send(new GetCallerIdentityCommand({}))),
    );
    const described = await calling('organizations:DescribeOrganization', () =>
      organizations.send(new DescribeOrganizationCommand({})),
    );
    const { Id: organizationId, MasterAccountId: managementAccountId } = organization.parse(described).Organization;
    const partition = own.Arn.split(':')[1] ?? 'aws';
    if (partition === 'aws-cn') suffix = 'amazonaws.com.cn';
    const rootId = await rootOf(organizations);
    known = { accountId: own.Account, arn: own.Arn, partition, region, organizationId, managementAccountId, rootId };
    return known;
  }

  return {
    account,
    ensureBucket: async (name) => {
      const { accountId, region } = await account();
      await ensureBucket(s3, name, accountId, region);
    },
    upload: async (bucket, key, content) => upload(s3, (await account()).accountId, { bucket, key, content }),
    urlOf: (bucket, key) => `https://${bucket}.s3.${known?.region ?? 'us-east-1'}.${suffix}/${key}`,
    ensureDeployable: (name) => stack.ensureDeployable(name),
    prepare: (request) => stack.prepare(request),
    execute: (name, changeSet, onProgress) => stack.execute(name, changeSet, onProgress),
    outputs: async (name) => {
      const { Outputs = [] } = (await stack.describe(name)) ?? {};
      return Object.fromEntries(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
    },
    close: () => {
      for (const client of [sts, organizations, s3, cloudFormation]) client.destroy();
    },
  };
}

async function regionOf(client: CloudFormationClient): Promise<string> {
  try {
    return await client.config.region();
  } catch (cause) {
    throw new InstallationError('RegionMissing', 'no AWS Region is set', {
      hints: ['Fix: export AWS_REGION=us-east-1, or set region in your AWS profile'],
      cause,
    });
  }
}

/** A delegated administrator may lack the permission; then the OUs must be named. */
async function rootOf(client: OrganizationsClient): Promise<string | null> {
  try {
    return roots.parse(await client.send(new ListRootsCommand({}))).Roots[0]?.Id ?? null;
  } catch (error) {
    if (isDenied(error)) return null;
    return calling('organizations:ListRoots', () => Promise.reject(error));
  }
}
