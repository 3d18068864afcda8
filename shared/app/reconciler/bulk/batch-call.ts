import type { AccountRecord } from '../../../domain/account/record.ts';
import {
  governingConfiguration,
  nearestConfiguration,
  rulesOut,
} from '../../../domain/enrollment/governing-configuration.ts';
import { ASSOCIABLE, actionOf } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../../domain/policy/index.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import { CloudError, type CloudErrorKind } from '../../../ports/cloud.ts';
import type { Listing } from '../../survey/paged-listing.ts';
import {
  awaitingConfiguration,
  errorFacts,
  type Failure,
  failureOutcome,
  type Governed,
  governedFailure,
  undone,
} from '../error-policy.ts';
import type { RemediationCall } from '../remediate.ts';
import { attemptsOf, type Remediation } from '../remediation-entries.ts';
import type { WorkContext } from '../worker-context.ts';
import type { Member } from './batch-observation.ts';
import { managementPrerequisite } from './management-prerequisite.ts';

export type BatchMessage = Extract<WorkMessage, { kind: 'batch' }>;

/**
 * One call that associates or disassociates many accounts.
 * @param own the record of the management account
 */
export function batchCall(
  work: WorkContext,
  message: BatchMessage,
  members: readonly Member[],
  own: AccountRecord | null,
): RemediationCall<Member> {
  const optOut = actionOf(ASSOCIABLE, message.operation)?.effect === 'disassociate';
  const factsOf = new Map(members.map(({ facts }) => [facts.id, facts]));
  return {
    key: message,
    members,
    scope: 'batch',
    optOut,
    refusal: optOut ? null : managementPrerequisite(work, own),
    async explain(error, remediations) {
      const cause = await causeOf(
        work,
        error,
        members.map(({ facts }) => facts),
      );
      return failures(work, remediations, factsOf, { error, ...cause });
    },
  };
}

interface Rejection {
  readonly error: CloudError;
  /** The kind of failure that all accounts have in common; `null`: there may be no common cause. */
  readonly kind: CloudErrorKind | null;
  /** The accounts that a configuration governs. */
  readonly governed: ReadonlyMap<AccountId, Governed>;
}

/**
 * A failure of the call or of the organization (throttled, denied, a prerequisite that all accounts lack) is recorded for all accounts, which are
 * retried as a batch after one pause. AWS also rejects the whole call because of a single account that a configuration governs: such accounts are
 * left out, and the call is repeated for the others. If another account may be the cause, each account is retried on its own.
 */
function failures(
  work: WorkContext,
  remediations: readonly Remediation[],
  factsOf: ReadonlyMap<AccountId, OrganizationAccount>,
  { error, kind, governed }: Rejection,
): readonly Failure[] {
  const facts = errorFacts(error);
  const { clock, random } = work.deps;
  // One random number for all accounts: if they were retried at different times, they would no longer form a batch.
  const draw = random();
  const common = { maxAttempts: work.settings.maxAttempts, now: clock.now(), random: () => draw };
  return remediations.map((remediation) => {
    const { accountId, enrollment, lastUpdated, desired } = remediation.assessment;
    const attempts = attemptsOf(remediation);
    const outcomeOf = (cause: CloudErrorKind) =>
      failureOutcome({ ...common, kind: cause, enrollment, attempts, lastUpdated });
    if (kind !== null) return { outcome: outcomeOf(kind), error: { ...facts, kind } };
    const seen = governed.get(accountId);
    const account = factsOf.get(accountId);
    if (seen === undefined || account === undefined)
      return { outcome: undone(attempts), error: { ...facts, kind: 'Batch', operation: null } };
    const outcome = rulesOut(seen.ruleMode, desired)
      ? outcomeOf('Governed')
      : awaitingConfiguration(attempts, clock.now(), common.random);
    return governedFailure(error, seen, outcome, account);
  });
}

const NONE: ReadonlyMap<AccountId, Governed> = new Map();

/**
 * Forbidden and InvalidParameterValue have several causes (docs/reference/aws-behaviour.md). A listing shows whether configurations govern some of the accounts.
 * AWS refuses it if trusted access is off.
 * @throws CloudError of kind Unauthenticated if the credentials were refused while looking for the cause
 */
async function causeOf(
  work: WorkContext,
  error: CloudError,
  members: readonly OrganizationAccount[],
): Promise<Omit<Rejection, 'error'>> {
  if (error.passing || error.kind === 'Prerequisite' || error.kind === 'Unauthenticated')
    return { kind: error.kind, governed: NONE };
  if (!error.details.ambiguous) return { kind: error.kind === 'Denied' ? 'Denied' : null, governed: NONE };
  try {
    const listing = await work.listings.of(ASSOCIABLE).begunAfter(work.deps.clock.now());
    const listed = governedIn(members, ({ id }) => inListing(listing, id));
    return { kind: null, governed: listed.size > 0 ? listed : await governedSoon(work, members) };
  } catch (cause) {
    if (!(cause instanceof CloudError) || cause.kind === 'Unauthenticated') throw cause;
    if (error.kind !== 'Denied') return { kind: null, governed: NONE };
    const refused = cause.kind === 'Denied' || cause.kind === 'Prerequisite';
    return { kind: refused ? 'Prerequisite' : error.kind, governed: NONE };
  }
}

function inListing({ seen }: Listing, id: AccountId): Governed | null {
  const observed = seen.get(id);
  const ruleModeSource = observed === undefined ? null : governingConfiguration(observed, null);
  return observed === undefined || ruleModeSource === null ? null : { ruleMode: observed.ruleMode, ruleModeSource };
}

/** Accounts to which AWS is still applying a configuration: it rejects calls for them already, but does not list it with the account yet. */
async function governedSoon(
  work: WorkContext,
  members: readonly OrganizationAccount[],
): Promise<ReadonlyMap<AccountId, Governed>> {
  try {
    const stored = await work.deps.cloud.configurations.list({ retry: work.retrying });
    return governedIn(members, (facts) => {
      const nearest = nearestConfiguration(stored, facts);
      return nearest === null ? null : { ...nearest, applying: true };
    });
  } catch (error) {
    // The caller may lack the permission to list them.
    if (error instanceof CloudError && error.kind !== 'Unauthenticated') return NONE;
    throw error;
  }
}

function governedIn(
  members: readonly OrganizationAccount[],
  find: (facts: OrganizationAccount) => Governed | null,
): ReadonlyMap<AccountId, Governed> {
  const found = new Map<AccountId, Governed>();
  for (const facts of members) {
    const governed = find(facts);
    if (governed !== null) found.set(facts.id, governed);
  }
  return found;
}
