import { type CheckResult, fail, pass, skipped, warn } from '../../domain/check-result.ts';
import {
  type EnrollmentId,
  FIRST_KIND,
  isAvailable,
  type KINDS,
  kindOf,
  kindsInUse,
} from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { type Cloud, CloudError } from '../../ports/cloud.ts';
import type { FailedEnrollment, Inspection, OrganizationFacts } from '../../ports/inspection.ts';
import type { Retrying } from '../support/retry.ts';
import {
  createServiceLinkedRole,
  enableTrustedAccess,
  grant,
  registerAdministrator,
  SERVICE_PRINCIPAL,
} from './commands.ts';
import { isDenied, resultOfError } from './errors.ts';
import type { Check } from './run-checks.ts';

export interface CloudChecksInput {
  readonly inspection: Inspection;
  readonly cloud: Pick<Cloud, 'list'>;
  readonly retrying: Retrying;
  /** `AWS_PROFILE`, for the command that signs in. */
  readonly profile: string | null;
  /** The environment variable that sets the AWS endpoint; `null`: the default endpoint is used. */
  readonly endpointVariable: string | null;
  /** The kinds that must be readable: those that the policy manages, and the first one, which the others depend on. */
  readonly needed: readonly EnrollmentId[];
}

/** Facts that several checks share. Each is requested once. */
export interface CloudFacts {
  readonly region: () => Promise<string>;
  readonly caller: () => ReturnType<Inspection['caller']>;
  readonly organization: () => Promise<OrganizationFacts>;
  readonly administrators: () => Promise<readonly AccountId[]>;
  /** Services with trusted access in the organization. */
  readonly trusted: () => Promise<readonly string[]>;
}

export function cloudFacts({ inspection, retrying }: Pick<CloudChecksInput, 'inspection' | 'retrying'>): CloudFacts {
  return {
    region: once(() => inspection.region()),
    caller: once(() => retrying(() => inspection.caller())),
    organization: once(() => retrying(() => inspection.organization())),
    administrators: once(() => retrying(() => inspection.delegatedAdministrators())),
    trusted: once(() => retrying(() => inspection.trustedServices())),
  };
}

function once<T>(request: () => Promise<T>): () => Promise<T> {
  let response: Promise<T> | null = null;
  return () => (response ??= request());
}

/** The needed kinds whose service exists in the caller's partition. */
export async function availableKinds(
  needed: readonly EnrollmentId[],
  facts: Pick<CloudFacts, 'caller'>,
): Promise<readonly EnrollmentId[]> {
  const { partition } = await facts.caller();
  return needed.filter((id) => isAvailable(id, partition));
}

/** Checks of the caller, its organization and its permissions. */
export function cloudChecks(input: CloudChecksInput, facts: CloudFacts): readonly Check[] {
  const organizational = ['organization', 'delegatedAdministrator'] as const;
  return [
    { id: 'region', needs: [], run: () => region(input, facts) },
    { id: 'credentials', needs: ['region'], run: () => credentials(input, facts) },
    { id: 'organization', needs: ['credentials'], run: () => organization(facts) },
    { id: 'delegatedAdministrator', needs: ['organization'], run: () => administrator(facts) },
    { id: 'trustedAccess', needs: organizational, run: () => trustedAccess(facts) },
    ...kindsInUse((id) => input.needed.includes(id)).map(
      (kind): Check => ({
        id: kind.id,
        needs: kind.prerequisites.length === 0 ? organizational : [...organizational, 'trustedAccess'],
        run: () => listing(input, facts, kind),
      }),
    ),
    // Without trusted access no member is listed, so Failed members cannot be found.
    { id: 'serviceLinkedRoles', needs: [FIRST_KIND.id, 'trustedAccess'], run: () => serviceLinkedRoles(input, facts) },
  ];
}

const noProfile = (profile: string | null): CheckResult =>
  fail(
    'unauthenticated',
    `the AWS profile ${profile} (AWS_PROFILE) does not exist in the AWS config file. Set AWS_PROFILE to an existing profile:`,
    ['aws configure list-profiles'],
  );

async function region({ profile }: CloudChecksInput, facts: CloudFacts): Promise<CheckResult> {
  try {
    const name = await facts.region();
    return pass(`${name}`);
  } catch (error) {
    if (error instanceof CloudError && error.details.code === 'ProfileMissing') return noProfile(profile);
    return { ...resultOfError(error), fix: ['export AWS_REGION=us-east-1'] };
  }
}

async function credentials({ profile, endpointVariable }: CloudChecksInput, facts: CloudFacts): Promise<CheckResult> {
  try {
    const { arn, accountId } = await facts.caller();
    if (!arn.endsWith(':root')) return pass(`${arn} in ${accountId}`);
    const message = `these are the credentials of the root user of ${accountId}. The root user cannot assume roles [API_AssumeRole], so members cannot be changed`;
    return warn('wrong', `${message}. Use a role or a user of that account.`);
  } catch (error) {
    const result = resultOfError(error);
    if (result.reason === 'unreachable' && endpointVariable !== null)
      return { ...result, fix: [`unset ${endpointVariable}`] };
    if (result.reason !== 'unauthenticated') return result;
    if (error instanceof CloudError && error.details.code === 'ProfileMissing') return noProfile(profile);
    return { ...result, fix: [`aws sso login${profile === null ? '' : ` --profile ${profile}`}`] };
  }
}

async function organization(facts: CloudFacts): Promise<CheckResult> {
  let found: OrganizationFacts;
  try {
    found = await facts.organization();
  } catch (error) {
    if (!isDenied(error)) throw error;
    const { arn } = await facts.caller();
    return fail('denied', error.message, grant(arn, ['organizations:DescribeOrganization']));
  }
  const { organizationId, managementAccountId, featureSet } = found;
  if (featureSet !== null && featureSet !== 'ALL') {
    const message = `${organizationId} has the feature set ${featureSet}; trusted access needs all features. In the management account ${managementAccountId}:`;
    return fail('wrong', message, ['aws organizations enable-all-features']);
  }
  return pass(`${organizationId}, management account ${managementAccountId}`);
}

async function administrator(facts: CloudFacts): Promise<CheckResult> {
  const [{ accountId, arn }, { managementAccountId }] = await Promise.all([facts.caller(), facts.organization()]);
  const management = accountId === managementAccountId;
  let registered: readonly AccountId[];
  try {
    registered = await facts.administrators();
  } catch (error) {
    if (!isDenied(error)) throw error;
    const action = 'organizations:ListDelegatedAdministrators';
    const fix = [registerAdministrator(accountId), ...grant(arn, [action])];
    if (management)
      return warn(
        'denied',
        `${error.message} Rollcall works without it, because this is the management account.`,
        grant(arn, [action]),
      );
    return fail(
      'denied',
      `${error.message} Account ${accountId} is not the management account (${managementAccountId}), and only a delegated administrator may read this. ` +
        `Register it in the management account, or allow ${action} in the organization's resource policy:`,
      fix,
    );
  }
  const who = registered.length === 0 ? 'none is registered' : registered.join(', ');
  if (management) return pass(`the caller is the management account; delegated administrator: ${who}`);
  if (registered.includes(accountId)) {
    return pass(
      `the caller, ${accountId}; it cannot read the management account ${managementAccountId}, which stays outside coverage`,
    );
  }
  return fail(
    'missing',
    `Account ${accountId} is neither the management account (${managementAccountId}) nor the delegated administrator of Compute Optimizer ` +
      `(${who}). Use credentials of one of them, or in the management account:`,
    [registerAdministrator(accountId)],
  );
}

async function trustedAccess(facts: CloudFacts): Promise<CheckResult> {
  const [{ arn }, { managementAccountId }] = await Promise.all([facts.caller(), facts.organization()]);
  try {
    const enabled = await facts.trusted();
    if (enabled.includes(SERVICE_PRINCIPAL)) return pass(`on for ${FIRST_KIND.title}`);
    const message = `off for ${FIRST_KIND.title}. In the management account ${managementAccountId}:`;
    return fail('missing', message, [enableTrustedAccess()]);
  } catch (error) {
    if (!isDenied(error)) throw error;
    const action = 'organizations:ListAWSServiceAccessForOrganization';
    return warn('denied', `unknown: ${error.message} Rollcall works without it.`, grant(arn, [action]));
  }
}

/** Reads the first page of a listing, as a scan does. */
async function listing(input: CloudChecksInput, facts: CloudFacts, kind: (typeof KINDS)[number]): Promise<CheckResult> {
  const { cloud, retrying, needed } = input;
  const { partition } = await facts.caller();
  if (!isAvailable(kind.id, partition)) {
    const message = `${kind.title} does not exist in the partition ${partition}, so its enrollments are Not applicable there`;
    return skipped('notUsed', message);
  }
  try {
    const { items, nextToken } = await retrying(() => cloud.list(kind.id, null));
    const accounts = `${items.length} ${items.length === 1 ? 'account' : 'accounts'}`;
    return pass(`listed: ${accounts}${nextToken === null ? '' : ' on the first page'}`);
  } catch (error) {
    const result = resultOfError(error);
    const fix = result.reason === 'denied' ? await commandsForDenied(facts, kind.id) : result.fix;
    if (needed.includes(kind.id)) return { ...result, fix };
    return { ...result, status: 'warn', message: `${result.message} The policy does not manage ${kind.title}.`, fix };
  }
}

/** Without trusted access a delegated administrator is denied, whatever its permissions. Each service has its own administrator. */
async function commandsForDenied(facts: CloudFacts, enrollment: EnrollmentId): Promise<readonly string[]> {
  const [{ accountId, arn }, { managementAccountId }] = await Promise.all([facts.caller(), facts.organization()]);
  const { service, listOperation, organizationPrincipal } = kindOf(enrollment);
  const lockedOut = await facts.trusted().then(
    (services) => !services.includes(organizationPrincipal),
    () => false,
  );
  const inManagement = `   # in the management account ${managementAccountId}`;
  if (lockedOut) return [`${enableTrustedAccess(organizationPrincipal)}${inManagement}`];
  const granting = grant(arn, [`${service}:${listOperation}`]);
  if (accountId === managementAccountId || organizationPrincipal === SERVICE_PRINCIPAL) return granting;
  return [`${registerAdministrator(accountId, organizationPrincipal)}${inManagement}`, ...granting];
}

/** Maximum number of Failed accounts in the message. */
const NAMED = 3;

/**
 * No API that Rollcall uses can read the roles. But an enrollment is Failed if AWS could not create its service-linked role or trusted access
 * [troubleshooting-account-opt-in].
 */
async function serviceLinkedRoles(
  { inspection, retrying, needed }: CloudChecksInput,
  facts: CloudFacts,
): Promise<CheckResult> {
  const kinds = await availableKinds(needed, facts);
  const failures = await Promise.all(
    kinds.map(async (enrollment) => ({ enrollment, failed: await failedOf(inspection, retrying, enrollment) })),
  );
  const broken = failures.filter(({ failed }) => failed.length > 0);
  if (broken.length === 0) return pass('no enrollment is Failed');
  const found = broken.map(({ enrollment, failed }) => {
    const named = failed
      .slice(0, NAMED)
      .map((each) => `${each.accountId} (${each.statusReason ?? 'AWS gives no reason'})`);
    return `${kindOf(enrollment).title}: ${failed.length} Failed: ${named.join(', ')}${failed.length > NAMED ? ', …' : ''}`;
  });
  const fix = broken.map(({ enrollment, failed }) => {
    const accounts = failed.slice(0, NAMED).map((each) => each.accountId);
    return `${createServiceLinkedRole(kindOf(enrollment).serviceLinkedRole)}   # with credentials of ${accounts.join(', ')}`;
  });
  return fail(
    'missing',
    `${found.join('; ')}. Create the service-linked role there; the next scan enrolls the accounts again:`,
    fix,
  );
}

/** A denied listing counts as no Failed enrollments, because the check of its kind reports it. For the first kind that check has passed already. */
async function failedOf(
  inspection: Inspection,
  retrying: Retrying,
  enrollment: EnrollmentId,
): Promise<readonly FailedEnrollment[]> {
  try {
    return await retrying(() => inspection.failedEnrollments(enrollment));
  } catch (error) {
    if (enrollment !== FIRST_KIND.id && isDenied(error)) return [];
    throw error;
  }
}
