/** The commands that mend what `doctor` finds, with the ids that were found filled in. AWS CLI version 2. */
import { quoted } from '../../domain/doctor-checks.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';

/** Compute Optimizer's name among the services of an organization [delegate-administrator-account]. */
export const SERVICE_PRINCIPAL = 'compute-optimizer.amazonaws.com';
/** The name under which docs/deploy.md deploys infra/member-role.yml. */
const STACK_SET = 'rollcall-member-role';

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
  readonly callerArn: string;
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

/** As infra/member-role.yml declares them. */
const PARAMETERS = [
  'RoleName',
  'WorkerRoleArn',
  'ScannerRoleArn',
  'OrganizationId',
  'ExternalId',
  'EventBusArn',
] as const;
const UPDATE = `aws cloudformation update-stack-set --stack-set-name ${STACK_SET} --capabilities CAPABILITY_NAMED_IAM`;
/** Whom the role trusts now, asked by the shell that runs the command: who is added must not put out the worker. */
const TRUSTED =
  `"$(aws cloudformation describe-stack-set --stack-set-name ${STACK_SET} ` +
  `--query "StackSet.Parameters[?ParameterKey=='WorkerRoleArn'].ParameterValue" --output text)"`;

/**
 * Adds this caller to those whom the member role trusts, and gives it the policy's external id. Run in the management account.
 * @returns `null` if the caller is no role: the template trusts roles alone
 */
export function trustCaller({ callerArn, externalId }: MemberRoleFacts): string | null {
  const role = roleArn(callerArn);
  if (role === null) return null;
  const values = PARAMETERS.map((name) => {
    if (name === 'WorkerRoleArn') return `{"ParameterKey":"${name}","ParameterValue":"'${TRUSTED}',${role}"}`;
    if (name === 'ExternalId' && externalId !== null) return inJson({ ParameterKey: name, ParameterValue: externalId });
    return inJson({ ParameterKey: name, UsePreviousValue: true });
  });
  return `${UPDATE} --use-previous-template --parameters '[${values.join(',')}]'`;
}

/** Gives the member role the permissions of infra/member-role.yml, and leaves the rest as it is. Run in the management account. */
export function renewMemberRole(): string {
  const values = PARAMETERS.map((name) => inJson({ ParameterKey: name, UsePreviousValue: true }));
  return `${UPDATE} --template-body file://infra/member-role.yml --parameters '[${values.join(',')}]'`;
}

/** JSON inside a shell's single quotes. */
function inJson(value: object): string {
  return JSON.stringify(value).replaceAll("'", "'\\''");
}

/** A session's ARN names no role that a trust policy could; the role's own does, unless it has a path, which the session's leaves out. */
function roleArn(arn: string): string | null {
  const session = /^(arn:[^:]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  return session === null ? null : `${session[1]}:iam::${session[2]}:role/${session[3]}`;
}
