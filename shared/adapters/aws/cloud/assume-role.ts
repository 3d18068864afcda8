import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import * as z from 'zod';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { Calls } from './call-pipeline.ts';
import type { OwnIdentity } from './caller.ts';
import type { Clients } from './clients.ts';
import type { AssumedSession } from './member-sessions.ts';
import { checked } from './responses.ts';

/** The name of the second role of infra/member-role.yml, which may only read enrollments. Scans and read-only commands use it. */
export function readerRole(memberRole: string): string {
  return `${memberRole}Reader`;
}

export interface MemberRole {
  readonly memberRole: string;
  readonly externalId: string | null;
  readonly sessionName?: string;
}

const credentials = z.object({
  Credentials: z.object({
    AccessKeyId: z.string().min(1),
    SecretAccessKey: z.string().min(1),
    SessionToken: z.string().min(1),
    Expiration: z.date(),
  }),
});

/** Assumes the role in one member account for one hour, the longest for a caller that is itself a role [API_AssumeRole]. @throws CloudError */
export async function assumeMemberRole(
  clients: Clients,
  calls: Calls,
  role: MemberRole,
  own: OwnIdentity,
  accountId: AccountId,
): Promise<AssumedSession> {
  const key = { service: 'sts', operation: 'AssumeRole' };
  const session = await calls.ownSession(key, own.accountId);
  const input = {
    RoleArn: roleArn(own.partition, accountId, role.memberRole),
    RoleSessionName: role.sessionName ?? 'rollcall',
    ...(role.externalId !== null && { ExternalId: role.externalId }),
  };
  const send = () => clients.sts.send(new AssumeRoleCommand(input));
  const answer = await calls.make({ key, session, about: accountId, send });
  const { Credentials } = checked(credentials, answer, { key, session: { ...session, accountId } });
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials;
  const identity = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  return { session: { accountId, identity, member: true }, expiresAt: Expiration.getTime() };
}

/** The role's ARN in the caller's partition. It includes the role's path, if there is one [IAM identifiers]. */
function roleArn(partition: string, accountId: AccountId, role: string): string {
  return `arn:${partition}:iam::${accountId}:role/${role.replace(/^\/+/, '')}`;
}
