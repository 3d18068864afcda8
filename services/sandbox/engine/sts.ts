import { type Call, Failure, integer, type Operations, text } from './operation.ts';
import { isOpen } from './organization.ts';
import { fnv1a } from './random.ts';
import { ROLE_ARN } from './role-arn.ts';
import type { Account, Output, RoleSession } from './types.ts';

/** The maximum session duration of the member role and of role chaining. */
const MAX_SESSION_SECONDS = 3600;

/** STS. Sources: API_AssumeRole, API_GetCallerIdentity. */
export const stsOperations: Operations = {
  AssumeRole: { run: assumeRole },
  GetCallerIdentity: { run: getCallerIdentity },
};

/** The name of the second role in each member, which may only read. */
export const readerOf = (memberRole: string): string => `${memberRole}Reader`;

function assumeRole(call: Call): Output | Failure {
  const { world, caller, roleSession, input, now } = call;
  const { organization, settings, sessions } = world;
  const arn = text(input, 'RoleArn') ?? '';
  const [, partition, accountId, roleName] = ROLE_ARN.exec(arn) ?? [];
  if (accountId === undefined || roleName === undefined || partition !== organization.partition)
    return new Failure('ValidationError', `${arn} is invalid`);
  const account = organization.account(accountId);
  const trusted = caller.management || caller === organization.delegatedAdministrator;
  const known = roleName === settings.memberRole || roleName === readerOf(settings.memberRole);
  const exists = account?.roleAssumable === true && isOpen(account) && known;
  const externalIdMatches = settings.externalId === undefined || text(input, 'ExternalId') === settings.externalId;
  if (account === undefined || !exists || !trusted || !externalIdMatches)
    return new Failure(
      'AccessDenied',
      `User: ${callerArn(call)} is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
    );
  const seconds = integer(input, 'DurationSeconds') ?? MAX_SESSION_SECONDS;
  if (seconds > MAX_SESSION_SECONDS)
    return new Failure(
      'ValidationError',
      roleSession === undefined
        ? 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'
        : 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  const session: RoleSession = { roleName, sessionName: text(input, 'RoleSessionName') ?? '' };
  const issued = sessions.issue(account.id, session, now + seconds * 1000, now);
  return {
    Credentials: {
      AccessKeyId: issued.accessKeyId,
      SecretAccessKey: issued.secretAccessKey,
      SessionToken: issued.sessionToken,
      Expiration: new Date(issued.expiresAt),
    },
    AssumedRoleUser: {
      AssumedRoleId: `${roleId(account)}:${session.sessionName}`,
      Arn: principalArn(partition, account, session),
    },
    SourceIdentity: text(input, 'SourceIdentity'),
  };
}

function getCallerIdentity(call: Call): Output {
  const { caller, roleSession } = call;
  const UserId =
    roleSession === undefined ? `AIDA${uniquePart(caller)}` : `${roleId(caller)}:${roleSession.sessionName}`;
  return { UserId, Account: caller.id, Arn: callerArn(call) };
}

function callerArn({ world, caller, roleSession }: Call): string {
  return principalArn(world.organization.partition, caller, roleSession);
}

export function principalArn(partition: string, account: Account, session: RoleSession | undefined): string {
  return session === undefined
    ? `arn:${partition}:iam::${account.id}:user/sandbox`
    : `arn:${partition}:sts::${account.id}:assumed-role/${session.roleName}/${session.sessionName}`;
}

const roleId = (account: Account): string => `AROA${uniquePart(account)}`;

/** The 17 characters of an IAM unique id, for the account's role or user. */
function uniquePart({ id }: Account): string {
  return `${fnv1a(id).toString(36)}${id}`.toUpperCase().slice(0, 17).padEnd(17, 'X');
}
