import { type CheckResult, fail, pass, skipped } from '../../domain/doctor-checks.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import { type Cloud, CloudError } from '../../ports/cloud.ts';
import type { Inspection } from '../../ports/inspection.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { Random } from '../../ports/system.ts';
import type { Retrying } from '../support/retry.ts';
import type { CloudFacts } from './cloud-checks.ts';
import { deployMemberRole, type MemberRoleFacts, renewMemberRole, trustCaller } from './commands.ts';
import { reasonOf } from './errors.ts';
import type { Check } from './examine.ts';

export interface MemberCheckInput {
  readonly inspection: Inspection;
  readonly cloud: Pick<Cloud, 'read'>;
  readonly retrying: Retrying;
  readonly random: Random;
  /** How many members are tried; 0: none. */
  readonly sample: number;
  /** The last snapshot, if there is a store: it knows which accounts the policy manages. */
  readonly snapshot: Pick<SnapshotStore, 'load'> | null;
  readonly policy: CompiledPolicy | null;
  readonly memberRole: string;
  readonly externalId: string | null;
  readonly usesAutomation: boolean;
  readonly callsPerSecond: number;
}

/** AssumeRole and two readings. */
const CALLS_A_MEMBER = 3;
const AT_ONCE = 5;
/** Accounts that a message names. */
const NAMED = 5;

/** Assumes the member role in some of the accounts, and reads there what a worker reads. */
export function memberCheck(input: MemberCheckInput, facts: CloudFacts): Check {
  const moreMs = Math.ceil((input.sample * CALLS_A_MEMBER * 1_000) / input.callsPerSecond);
  return { id: 'memberRole', needs: ['organization'], moreMs, run: () => memberRole(input, facts) };
}

interface Refusal {
  readonly accountId: AccountId;
  readonly error: CloudError;
}

async function memberRole(input: MemberCheckInput, facts: CloudFacts): Promise<CheckResult> {
  if (input.sample === 0) return skipped('notUsed', '--sample 0');
  const accounts = drawn(await candidates(input, facts), input.sample, input.random);
  if (accounts.length === 0) return skipped('notUsed', 'there is no ACTIVE member account to try');
  const refusals: Refusal[] = [];
  await mapParallel(accounts, AT_ONCE, async (accountId) => {
    const error = await enter(input, accountId);
    if (error !== null) refusals.push({ accountId, error });
  });
  const tried = `${input.memberRole} in ${accounts.length} of the member accounts`;
  if (refusals.length === 0) return pass(`${tried}: it can be assumed and reads the enrollments`);
  return refused(input, facts, tried, refusals);
}

/** Members that the policy manages if that is known, else any that are ACTIVE. */
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
  // Some more than needed, so that it is not always the same ones.
  return input.retrying(() => input.inspection.members(input.sample * 4));
}

function isManaged(policy: CompiledPolicy | null, account: OrganizationAccount): boolean {
  if (policy === null || !policy.canDecide(account)) return true;
  const { computeOptimizer, automation, organizationRules, mode } = policy.resolve(account);
  const wanted = [computeOptimizer, automation, organizationRules].some(({ value }) => value !== 'unmanaged');
  return wanted && mode.value !== 'off';
}

/** `n` of them, each as likely as any other. */
function drawn(accounts: readonly AccountId[], n: number, random: Random): readonly AccountId[] {
  const rest = [...accounts];
  const taken: AccountId[] = [];
  while (taken.length < n && rest.length > 0) taken.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return taken.sort();
}

async function enter(input: MemberCheckInput, accountId: AccountId): Promise<CloudError | null> {
  const { cloud, retrying, usesAutomation } = input;
  try {
    await retrying(() => cloud.read('computeOptimizer', accountId));
    if (usesAutomation) await retrying(() => cloud.read('automation', accountId));
    return null;
  } catch (error) {
    if (error instanceof CloudError) return error;
    throw error;
  }
}

async function refused(
  input: MemberCheckInput,
  facts: CloudFacts,
  tried: string,
  refusals: readonly Refusal[],
): Promise<CheckResult> {
  const [first] = refusals;
  if (first === undefined) return pass(tried);
  const { externalId } = input;
  const [{ arn }, region] = await Promise.all([facts.caller(), facts.region()]);
  const shut = refusals.filter(({ error }) => error.details.operation === 'AssumeRole' && error.kind === 'Denied');
  const weak = refusals.filter(({ error }) => error.details.operation !== 'AssumeRole' && error.kind === 'Denied');
  const others = refusals.filter(({ error }) => error.kind !== 'Denied');
  const told = [
    ...tell(shut, `it is missing, or does not trust ${arn} (AWS does not say which)`),
    ...tell(weak, `it may be assumed but not read: ${weak[0]?.error.message ?? ''}`),
    ...tell(others, others[0]?.error.message ?? ''),
  ];
  const message = `${tried}: ${told.join('; ')}. In the management account:`;
  const rootId = await input.retrying(() => input.inspection.rootId()).catch(() => null);
  const named: MemberRoleFacts = { region, rootId, callerArn: arn, externalId };
  const trust = shut.length > 0 ? trustCaller(named) : null;
  const mend = [
    ...(shut.length > 0 ? [deployMemberRole(shut.map(({ accountId }) => accountId).sort(), named)] : []),
    ...(trust === null ? [] : [trust]),
    ...(weak.length > 0 ? [renewMemberRole()] : []),
  ];
  const reason = shut.length + weak.length > 0 ? 'denied' : reasonOf(first.error);
  return fail(reason, message, mend);
}

function tell(refusals: readonly Refusal[], why: string): readonly string[] {
  if (refusals.length === 0) return [];
  const ids = refusals.map(({ accountId }) => accountId).sort();
  const named = `${ids.slice(0, NAMED).join(', ')}${ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''}`;
  return [`${named}: ${why.replace(/\.$/, '')}`];
}
