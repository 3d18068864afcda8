import { type CheckResult, fail, pass, skipped } from '../../domain/check-result.ts';
import { type EnrollmentId, KINDS } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import { DESIRED_FIELDS } from '../../domain/policy/types.ts';
import { type Cloud, CloudError } from '../../ports/cloud.ts';
import type { Inspection } from '../../ports/inspection.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { Random } from '../../ports/system.ts';
import type { Retrying } from '../support/retry.ts';
import { availableKinds, type CloudFacts } from './cloud-checks.ts';
import { deployMemberRole, type MemberRoleFacts, renewMemberRole, trustCaller } from './commands.ts';
import { reasonOf } from './errors.ts';
import type { Check } from './run-checks.ts';

export interface MemberCheckInput {
  readonly inspection: Inspection;
  readonly cloud: Pick<Cloud, 'read'>;
  readonly retrying: Retrying;
  readonly random: Random;
  /** Number of members to check; 0: none. */
  readonly sample: number;
  /** The last snapshot, if there is a store; used to choose accounts that the policy manages. */
  readonly snapshot: Pick<SnapshotStore, 'load'> | null;
  readonly policy: CompiledPolicy | null;
  readonly memberRole: string;
  readonly externalId: string | null;
  /** The path of infra/member-role.yml on this machine, for the commands that fix a finding. */
  readonly memberRoleTemplate: string;
  readonly needed: readonly EnrollmentId[];
  /** `null`: no total budget. */
  readonly callsPerSecond: number | null;
}

/** AssumeRole and a read of each kind. */
const CALLS_PER_MEMBER = 1 + KINDS.length;
const CONCURRENCY = 5;
/** Maximum number of accounts in a message. */
const NAMED = 5;

/** Assumes the member role in a sample of the accounts and reads their enrollments, as a worker does. */
export function memberCheck(input: MemberCheckInput, facts: CloudFacts): Check {
  // Without a budget, the answers set the pace. Each is allowed a second.
  const moreMs = Math.ceil((input.sample * CALLS_PER_MEMBER * 1_000) / (input.callsPerSecond ?? CONCURRENCY));
  return { id: 'memberRole', needs: ['organization'], moreMs, run: () => memberRole(input, facts) };
}

interface Failure {
  readonly accountId: AccountId;
  readonly error: CloudError;
}

async function memberRole(input: MemberCheckInput, facts: CloudFacts): Promise<CheckResult> {
  if (input.sample === 0) return skipped('notUsed', '--sample 0');
  const accounts = sampled(await candidates(input, facts), input.sample, input.random);
  if (accounts.length === 0) return skipped('notUsed', 'there is no ACTIVE member account to check');
  const kinds = await availableKinds(input.needed, facts);
  const failures: Failure[] = [];
  await mapParallel(accounts, CONCURRENCY, async (accountId) => {
    const error = await tryAccount(input, kinds, accountId);
    if (error !== null) failures.push({ accountId, error });
  });
  const { length: tried } = accounts;
  if (failures.length === 0) return pass(`${input.memberRole} works in ${share(tried, tried)}`);
  return failed(input, facts, tried, failures);
}

/** The members that the policy manages; if unknown, any ACTIVE members. */
async function candidates(input: MemberCheckInput, facts: CloudFacts): Promise<readonly AccountId[]> {
  const [{ accountId: own }, { organizationId, managementAccountId }] = await Promise.all([
    facts.caller(),
    facts.organization(),
  ]);
  const snapshot = (await input.snapshot?.load()) ?? null;
  if (snapshot !== null && snapshot.organizationId === organizationId) {
    const known = snapshot.accounts.filter(
      ({ id, state }) => state === 'ACTIVE' && id !== own && id !== managementAccountId,
    );
    const managed = known.filter((account) => isManaged(input.policy, account));
    return (managed.length > 0 ? managed : known).map(({ id }) => id);
  }
  // More than needed, so that the sample varies.
  return input.retrying(() => input.inspection.members(input.sample * 4));
}

function isManaged(policy: CompiledPolicy | null, account: OrganizationAccount): boolean {
  if (policy === null || !policy.canDecide(account)) return true;
  const desired = policy.resolve(account);
  return desired.mode.value !== 'off' && DESIRED_FIELDS.some((field) => desired[field].value !== 'unmanaged');
}

/** A uniform random sample of `n` accounts. */
function sampled(accounts: readonly AccountId[], n: number, random: Random): readonly AccountId[] {
  const rest = [...accounts];
  const taken: AccountId[] = [];
  while (taken.length < n && rest.length > 0) taken.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return taken.sort();
}

async function tryAccount(
  { cloud, retrying }: MemberCheckInput,
  kinds: readonly EnrollmentId[],
  accountId: AccountId,
): Promise<CloudError | null> {
  try {
    for (const enrollment of kinds) await retrying(() => cloud.read(enrollment, accountId));
    return null;
  } catch (error) {
    if (error instanceof CloudError) return error;
    throw error;
  }
}

async function failed(
  input: MemberCheckInput,
  facts: CloudFacts,
  tried: number,
  failures: readonly Failure[],
): Promise<CheckResult> {
  const [first] = failures;
  if (first === undefined) throw new Error('unreachable: no account failed');
  const { externalId, memberRole } = input;
  const [{ arn }, region] = await Promise.all([facts.caller(), facts.region()]);
  const notAssumable = failures.filter(
    ({ error }) => error.details.operation === 'AssumeRole' && error.kind === 'Denied',
  );
  const notReadable = failures.filter(
    ({ error }) => error.details.operation !== 'AssumeRole' && error.kind === 'Denied',
  );
  const others = failures.filter(({ error }) => error.kind !== 'Denied');
  const findings = [
    ...finding(notAssumable, tried, `${memberRole} cannot be assumed`, false),
    ...finding(notReadable, tried, `${memberRole} may not read enrollments`),
    ...finding(others, tried, `${memberRole} could not be tested`),
  ];
  const message = `${findings.join('; ')}. In the management account:`;
  const rootId = await input.retrying(() => input.inspection.rootId()).catch(() => null);
  const named: MemberRoleFacts = { region, rootId, callerArn: arn, externalId };
  const trust = notAssumable.length > 0 ? trustCaller(named) : null;
  const fix = [
    ...(notAssumable.length > 0
      ? [deployMemberRole(notAssumable.map(({ accountId }) => accountId).sort(), named)]
      : []),
    ...(trust === null ? [] : [trust]),
    ...(notReadable.length > 0 ? [renewMemberRole(input.memberRoleTemplate)] : []),
  ];
  const reason = notAssumable.length + notReadable.length > 0 ? 'denied' : reasonOf(first.error);
  return fail(reason, message, fix);
}

/** `3 of 5 sampled accounts`. */
function share(part: number, whole: number): string {
  return `${part} of ${whole} sampled ${whole === 1 ? 'account' : 'accounts'}`;
}

/** @param withAnswer whether the answer of AWS says more than `what` */
function finding(failures: readonly Failure[], tried: number, what: string, withAnswer = true): readonly string[] {
  const [first] = failures;
  if (first === undefined) return [];
  const ids = failures.map(({ accountId }) => accountId).sort();
  const named = `${ids.slice(0, NAMED).join(', ')}${ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''}`;
  const answer = withAnswer ? ` (${first.error.message.replace(/\.$/, '')})` : '';
  return [`${what} in ${share(failures.length, tried)}: ${named}${answer}`];
}
