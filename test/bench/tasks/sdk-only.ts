import {
  ComputeOptimizerClient,
  GetEnrollmentStatusCommand,
  UpdateEnrollmentStatusCommand,
} from '@aws-sdk/client-compute-optimizer';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/**
 * The same calls as made by a script with the AWS SDK: assume the role, read, change, read again; one client per
 * account, connections shared and kept alive. No queue, no ledger, no pacing, no diff.
 */
export async function bySdkOnly(accountIds: readonly string[], concurrency: number): Promise<void> {
  const requestHandler = new NodeHttpHandler({ httpAgent: { keepAlive: true, maxSockets: 128 } });
  const sts = new STSClient({ requestHandler });
  const waiting = accountIds.values();
  const lane = async (): Promise<void> => {
    for (const accountId of waiting) await remediate(sts, requestHandler, accountId);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  sts.destroy();
  requestHandler.destroy();
}

async function remediate(sts: STSClient, requestHandler: NodeHttpHandler, accountId: string): Promise<void> {
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${accountId}:role/RollcallMember`, RoleSessionName: 'bench' }),
  );
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new Error(`no credentials for ${accountId}`);
  }
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  const client = new ComputeOptimizerClient({ requestHandler, credentials });
  const before = await client.send(new GetEnrollmentStatusCommand({}));
  if (before.status !== 'Active') await client.send(new UpdateEnrollmentStatusCommand({ status: 'Active' }));
  const after = await client.send(new GetEnrollmentStatusCommand({}));
  if (after.status !== 'Active') throw new Error(`${accountId} is ${after.status}`);
}
