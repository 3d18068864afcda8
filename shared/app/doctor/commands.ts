/** The commands that fix what `doctor` finds, with the real ids. AWS CLI version 2. */
import { quoted } from '../../domain/check-result.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';

/** Compute Optimizer's name among the services of an organization [delegate-administrator-account]. */
export const SERVICE_PRINCIPAL = 'compute-optimizer.amazonaws.com';
/** The name under which docs/how-to/deploy-aws.md deploys infra/member-role.yml. */
const STACK_SET = 'rollcall-member-role';

export function enableTrustedAccess(principal: string = SERVICE_PRINCIPAL): string {
  return `aws organizations enable-aws-service-access --service-principal ${principal}`;
}

export function registerAdministrator(accountId: AccountId, principal: string = SERVICE_PRINCIPAL): string {
  return `aws organizations register-delegated-administrator --account-id ${accountId} --service-principal ${principal}`;
}

export function createServiceLinkedRole(service: string): string {
  return `aws iam create-service-linked-role --aws-service-name ${service}`;
}

/**
 * Commands that grant permissions to the caller, if it is a role or a user of its own account. Empty for a permission set of IAM Identity
 * Center, which is changed there, and for the root user, which needs no permission.
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

/** Deploys the member role to accounts that lack it. Run in the management account. */
export function deployMemberRole(accounts: readonly AccountId[], { region, rootId }: MemberRoleFacts): string {
  const units =
    rootId === null ? '["\'"$(aws organizations list-roots --query \'Roots[0].Id\' --output text)"\'"]' : undefined;
  const target = { OrganizationalUnitIds: [rootId ?? ''], Accounts: accounts, AccountFilterType: 'INTERSECTION' };
  const json = JSON.stringify(target);
  const targets = units === undefined ? `'${json}'` : `'${json.replace('[""]', units)}'`;
  return `aws cloudformation create-stack-instances --stack-set-name ${STACK_SET} --regions ${region} --deployment-targets ${targets}`;
}

/** The parameters of infra/member-role.yml. */
const PARAMETERS = [
  'RoleName',
  'WorkerRoleArn',
  'ScannerRoleArn',
  'OrganizationId',
  'ExternalId',
  'EventBusArn',
] as const;
const UPDATE = `aws cloudformation update-stack-set --stack-set-name ${STACK_SET} --capabilities CAPABILITY_NAMED_IAM`;
/** The currently trusted roles, read by the shell that runs the command, so that adding a role does not remove the worker's. */
const TRUSTED =
  `"$(aws cloudformation describe-stack-set --stack-set-name ${STACK_SET} ` +
  `--query "StackSet.Parameters[?ParameterKey=='WorkerRoleArn'].ParameterValue" --output text)"`;

/**
 * Makes the member role trust the caller and sets the policy's external id. Run in the management account.
 * @returns `null` if the caller is not a role: the template trusts only roles
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

/**
 * Updates the permissions of the member role to infra/member-role.yml and keeps its parameters. Run in the management account.
 * @param template the path of that file on this machine
 */
export function renewMemberRole(template: string): string {
  const values = PARAMETERS.map((name) => inJson({ ParameterKey: name, UsePreviousValue: true }));
  return `${UPDATE} --template-body ${quoted(`file://${template}`)} --parameters '[${values.join(',')}]'`;
}

/** JSON inside a shell's single quotes. */
function inJson(value: object): string {
  return JSON.stringify(value).replaceAll("'", "'\\''");
}

/** Turns a session ARN into the role ARN that a trust policy needs. Wrong for a role with a path, because the session ARN omits the path. */
function roleArn(arn: string): string | null {
  const session = /^(arn:[^:]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  return session === null ? null : `${session[1]}:iam::${session[2]}:role/${session[3]}`;
}
