/** The commands that mend what `doctor` finds, with the ids that were found filled in. AWS CLI version 2. */
import { quoted } from '../../domain/doctor.ts';
import type { AccountId } from '../../domain/types.ts';

/** Compute Optimizer's name among the services of an organization [delegate-administrator-account]. */
export const SERVICE_PRINCIPAL = 'compute-optimizer.amazonaws.com';
/** The name under which docs/deploy.md deploys infra/member-role.yml. */
export const STACK_SET = 'rollcall-member-role';

export const enableTrustedAccess = `aws organizations enable-aws-service-access --service-principal ${SERVICE_PRINCIPAL}`;

export function registerAdministrator(accountId: AccountId): string {
  return `aws organizations register-delegated-administrator --account-id ${accountId} --service-principal ${SERVICE_PRINCIPAL}`;
}

export function createServiceLinkedRole(service: string): string {
  return `aws iam create-service-linked-role --aws-service-name ${service}`;
}

/**
 * Gives the caller a permission, where its ARN says how: a role or a user of its own account. A permission set of IAM Identity Center
 * is changed where it was made, and the root user needs nothing.
 */
export function grant(arn: string, actions: readonly string[]): readonly string[] {
  const statement = { Effect: 'Allow', Action: actions, Resource: '*' };
  const document = quoted(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
  const role = /:assumed-role\/([^/]+)\//.exec(arn)?.[1];
  const user = /:user\/(?:.*\/)?([^/]+)$/.exec(arn)?.[1];
  const policy = `--policy-name RollcallDoctor --policy-document ${document}`;
  if (role !== undefined && !role.startsWith('AWSReservedSSO_')) {
    return [`aws iam put-role-policy --role-name ${quoted(role)} ${policy}`];
  }
  return user === undefined ? [] : [`aws iam put-user-policy --user-name ${quoted(user)} ${policy}`];
}

export interface MemberRoleFacts {
  readonly region: string;
  /** `r-…`; `null` if it could not be read. */
  readonly rootId: string | null;
  readonly organizationId: string;
  readonly callerArn: string;
  readonly memberRole: string;
  readonly externalId: string | null;
}

/** Brings the role to accounts that lack it. Run in the management account. */
export function deployMemberRole(accounts: readonly AccountId[], { region, rootId }: MemberRoleFacts): string {
  const units =
    rootId === null ? '["\'"$(aws organizations list-roots --query \'Roots[0].Id\' --output text)"\'"]' : undefined;
  const target = { OrganizationalUnitIds: [rootId ?? ''], Accounts: accounts, AccountFilterType: 'INTERSECTION' };
  const json = JSON.stringify(target);
  const targets = units === undefined ? `'${json}'` : `'${json.replace('[""]', units)}'`;
  return `aws cloudformation create-stack-instances --stack-set-name ${STACK_SET} --regions ${region} --deployment-targets ${targets}`;
}

/** Makes the role trust this caller, and gives it the permissions of infra/member-role.yml. Run in the management account. */
export function renewMemberRole(facts: MemberRoleFacts): string {
  const { organizationId, callerArn, memberRole, externalId } = facts;
  const parameters = [
    ['WorkerRoleArn', roleArn(callerArn)],
    ['OrganizationId', organizationId],
    ['RoleName', memberRole.split('/').at(-1) ?? memberRole],
  ].map(([key, value]) => `ParameterKey=${key},ParameterValue=${value}`);
  const id =
    externalId === null
      ? 'ParameterKey=ExternalId,UsePreviousValue=true'
      : `ParameterKey=ExternalId,ParameterValue=${quoted(externalId)}`;
  const scanner = 'ParameterKey=ScannerRoleArn,UsePreviousValue=true';
  return (
    `aws cloudformation update-stack-set --stack-set-name ${STACK_SET} --template-body file://infra/member-role.yml ` +
    `--capabilities CAPABILITY_NAMED_IAM --parameters ${parameters.join(' ')} ${id} ${scanner}`
  );
}

/** A session's ARN names no role that a trust policy could; the role's own does, unless it has a path, which the session's leaves out. */
function roleArn(arn: string): string {
  const session = /^(arn:[^:]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  return session === null ? arn : `${session[1]}:iam::${session[2]}:role/${session[3]}`;
}
