import { type CheckResult, fail, pass, skipped, warn } from '../../domain/check-result.ts';
import { desiredOf } from '../../domain/decision/assess.ts';
import { configurationText, nearestConfiguration, rulesOut } from '../../domain/enrollment/governing-configuration.ts';
import { ASSOCIABLE, type EnrollmentId, kindOf, TITLES } from '../../domain/enrollment/kinds/index.ts';
import type { OrganizationConfiguration } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import type { Cloud } from '../../ports/cloud.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { Clock } from '../../ports/system.ts';
import type { Retrying } from '../support/retry.ts';
import type { CloudFacts } from './cloud-checks.ts';
import { grant } from './commands.ts';
import { isDenied } from './errors.ts';
import type { Check } from './run-checks.ts';

export interface ConfigurationsCheckInput {
  readonly cloud: Pick<Cloud, 'configurations'>;
  readonly retrying: Retrying;
  readonly policy: CompiledPolicy | null;
  readonly needed: readonly EnrollmentId[];
  /** The last snapshot, if there is a store: its accounts are compared with the policy. */
  readonly snapshot: Pick<SnapshotStore, 'load'> | null;
  readonly clock: Pick<Clock, 'now'>;
}

/** Maximum number of configurations or accounts in a message. */
const NAMED = 5;

/** Lists the organization enrollment configurations, and finds those that keep accounts from what the policy wants. */
export function configurationsCheck(input: ConfigurationsCheckInput, facts: CloudFacts): Check {
  const needs = ['organization', 'delegatedAdministrator', 'trustedAccess'] as const;
  return { id: 'organizationConfigurations', needs, run: () => configurations(input, facts) };
}

async function configurations(input: ConfigurationsCheckInput, facts: CloudFacts): Promise<CheckResult> {
  const { cloud, retrying, policy, needed } = input;
  if (!needed.includes(ASSOCIABLE)) return skipped('notUsed', `the policy does not manage ${TITLES[ASSOCIABLE]}`);
  let stored: readonly OrganizationConfiguration[];
  try {
    stored = await cloud.configurations.list({ retry: retrying });
  } catch (error) {
    if (!isDenied(error)) throw error;
    const fix = grant((await facts.caller()).arn, [
      `${kindOf(ASSOCIABLE).service}:ListOrganizationEnrollmentConfigurations`,
    ]);
    if (isManaging(policy))
      return fail('denied', `${error.message} The policy manages configurations, which needs it.`, fix);
    return warn('denied', `${error.message} Rollcall works without it.`, fix);
  }
  if (stored.length === 0) return pass('none is stored');
  return compared(input, stored, await accountsOf(input, facts));
}

function isManaging(policy: CompiledPolicy | null): boolean {
  return policy?.policy.organization.automationConfigurations === 'manage';
}

/** Configurations do not apply to the management account. `null`: no snapshot of this organization is stored. */
async function accountsOf(
  { snapshot }: ConfigurationsCheckInput,
  facts: CloudFacts,
): Promise<readonly OrganizationAccount[] | null> {
  const [loaded, { organizationId }] = await Promise.all([snapshot?.load(), facts.organization()]);
  if (loaded?.organizationId !== organizationId) return null;
  return loaded.accounts.filter(({ management }) => !management);
}

function compared(
  input: ConfigurationsCheckInput,
  stored: readonly OrganizationConfiguration[],
  accounts: readonly OrganizationAccount[] | null,
): CheckResult {
  const named = stored.map((each) => configurationText(each, accounts ?? []));
  const all = `${stored.length} stored: ${shortened(named, ', ')}`;
  const { policy } = input;
  if (policy === null) return pass(all);
  if (accounts === null)
    return pass(`${all}; not compared with the policy, because no snapshot of the organization is stored yet`);
  const found = contradictions({ ...input, policy }, stored, accounts);
  if (found.length === 0) return pass(`${all}; none contradicts the policy`);
  const message = `${all}. Against the policy: ${shortened(found, '; ')}.`;
  if (isManaging(policy)) return warn('wrong', `${message} To see what Rollcall would change:`, ['rollcall plan']);
  return warn('wrong', `${message} Change or delete the configuration, or change the policy.`);
}

/** One text for each configuration that keeps accounts from the desired state. */
function contradictions(
  { policy, clock }: { readonly policy: CompiledPolicy; readonly clock: Pick<Clock, 'now'> },
  stored: readonly OrganizationConfiguration[],
  accounts: readonly OrganizationAccount[],
): readonly string[] {
  const now = clock.now();
  const found = new Map<string, { readonly wants: Set<string>; readonly ids: string[] }>();
  for (const account of accounts) {
    if (account.state !== 'ACTIVE' || !policy.canDecide(account)) continue;
    const nearest = nearestConfiguration(stored, account);
    const targetId = nearest?.ruleModeSource.targetId ?? null;
    const settings = policy.resolve(account);
    const exempt = settings.mode.value === 'off' || policy.exemption(account.id, ASSOCIABLE, now) !== null;
    const desired = desiredOf(settings, account, ASSOCIABLE);
    if (nearest === null || targetId === null || exempt || !rulesOut(nearest.ruleMode, desired)) continue;
    const { wants, ids } = found.get(targetId) ?? { wants: new Set(), ids: [] };
    wants.add(desired.status === 'Inactive' ? `${TITLES[ASSOCIABLE]} Inactive` : `${desired.ruleMode}`);
    found.set(targetId, { wants, ids: [...ids, account.id] });
  }
  return stored.flatMap((each) => {
    const against = found.get(each.target.id);
    if (against === undefined) return [];
    const wanted = [...against.wants].sort().join(' or ');
    return [`${configurationText(each, accounts)}, but the policy wants ${wanted} in ${shortened(against.ids, ', ')}`];
  });
}

function shortened(texts: readonly string[], separator: string): string {
  const more = texts.length > NAMED ? `${separator}and ${texts.length - NAMED} more` : '';
  return `${texts.slice(0, NAMED).join(separator)}${more}`;
}
