import { byKind, KINDS } from '../../domain/enrollment/kinds/index.ts';
import type { EnrollmentStatus, Observation, OrganizationConfiguration } from '../../domain/enrollment/model.ts';
import {
  type CompiledPolicy,
  initPolicy,
  type MemberAccess,
  type ObservedEnrollments,
} from '../../domain/policy/index.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { OnProgress, Settings } from '../context.ts';
import type { Retrying } from '../support/retry.ts';
import { type Survey, type SurveyDeps, survey } from '../survey/survey.ts';

/** The result of `policy init`. */
export interface Inited {
  readonly text: string;
  readonly organizationId: string;
  readonly accounts: number;
  /** Accounts that are ACTIVE. */
  readonly active: number;
  /** Accounts with an enrollment that could not be read. */
  readonly unread: number;
  readonly broken: readonly string[];
}

/**
 * Reads the organization and every enrollment of every account, and describes them as a policy. Writes nothing.
 * @param probing a policy that manages every enrollment, so that all are read
 * @param access the role in member accounts, which is written into the policy
 * @throws CloudError if the organization or a listing cannot be read
 */
export async function describeOrganization(
  deps: SurveyDeps,
  settings: Settings,
  retrying: Retrying,
  probing: CompiledPolicy,
  access: MemberAccess,
  onProgress: OnProgress,
): Promise<Inited> {
  const seen = await survey(deps, settings, retrying, {
    policy: probing,
    needsRecording: () => true,
    onProgress,
    saveSnapshot: false,
  });
  const observed = observedIn(seen);
  const { accounts, managementAccountId } = seen.snapshot;
  const active = accounts.filter(({ state }) => state === 'ACTIVE');
  const unread = active.filter(({ id }) => {
    const enrollments = observed.get(id);
    return !enrollments || probing.kinds.some((each) => enrollments[each] === null);
  });
  return {
    text: initPolicy({
      accounts,
      observed,
      now: deps.clock.now(),
      managementAccountId,
      organization: access,
      configurations: await storedConfigurations(deps, retrying),
    }),
    organizationId: seen.caller.organizationId,
    accounts: accounts.length,
    active: active.length,
    unread: unread.length,
    broken: seen.broken,
  };
}

/** `null`: they cannot be listed. Without the kind's prerequisites there are none. */
async function storedConfigurations(
  { cloud, logger }: Pick<SurveyDeps, 'cloud' | 'logger'>,
  retry: Retrying,
): Promise<readonly OrganizationConfiguration[] | null> {
  try {
    return await cloud.configurations.list({ retry });
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    if (error.kind === 'Prerequisite') return [];
    logger.warn('the configurations could not be listed', { code: error.details.code, message: error.message });
    return null;
  }
}

function observedIn({ assessed }: Survey): Map<string, ObservedEnrollments> {
  return new Map(
    assessed.map(({ account, observations }) => {
      const ruleModes = KINDS.map(({ id, hasRuleMode }) => {
        const observation = observations[id];
        return hasRuleMode && observation.kind === 'observed' ? observation.ruleMode : null;
      });
      const ruleMode = ruleModes.find((each) => each !== null) ?? null;
      return [account.id, { ...byKind((id) => statusOf(observations[id])), ruleMode }];
    }),
  );
}

function statusOf(observation: Observation): EnrollmentStatus | null {
  return observation.kind === 'observed' ? observation.status : null;
}
