import { ASSOCIABLE, TITLES } from './kinds/index.ts';
import type {
  AccountId,
  GoverningConfiguration,
  OrganizationConfiguration,
  RuleMode,
  RuleModeSource,
} from './model.ts';
import type { DesiredEnrollment } from './verdict.ts';

/*
 * An organization enrollment configuration governs the rule mode of an account: AWS refuses to associate, disassociate or disable the account until the
 * configuration is changed or deleted.
 */

/** The part of an observation or a recorded condition that shows what governs the account. */
interface Seen {
  readonly ruleMode: RuleMode | null;
  readonly ruleModeSource?: RuleModeSource | null;
}

/** Whether the observation alone shows that a configuration governs the account. */
export function isGoverned({ ruleModeSource = null }: Seen): boolean {
  return ruleModeSource !== null && isGoverning(ruleModeSource);
}

/**
 * The configuration that governs the account; `null`: none. The read of a single account does not name it, so the name is taken from the record.
 * @param known the recorded condition
 */
export function governingConfiguration(seen: Seen, known: Seen | null): GoverningConfiguration | null {
  const recorded = known?.ruleModeSource ?? null;
  const before = recorded !== null && isGoverning(recorded) ? recorded : null;
  const { ruleModeSource: source } = seen;
  if (source === undefined) return known?.ruleMode === seen.ruleMode ? before : null;
  if (source === null || !isGoverning(source)) return null;
  if (source.type !== 'configuration' || before === null) return source;
  // If the rule mode differs from the recorded one, it may be another configuration.
  return known?.ruleMode === seen.ruleMode ? before : source;
}

function isGoverning(source: RuleModeSource): source is GoverningConfiguration {
  return source.type === 'applied' || source.type === 'inherited' || source.type === 'configuration';
}

export function isSameConfiguration(
  one: RuleModeSource | null | undefined,
  other: RuleModeSource | null | undefined,
): boolean {
  return one?.type === other?.type && one?.targetId === other?.targetId;
}

/** Whether a configuration with this rule mode keeps the account from the desired state, whatever calls are made for the account. */
export function rulesOut(ruleMode: RuleMode | null, desired: DesiredEnrollment): boolean {
  // A configuration enables Automation with either rule mode.
  return (
    desired.status === 'Inactive' || (desired.ruleMode !== null && (ruleMode ?? 'NoneAllowed') !== desired.ruleMode)
  );
}

/** The nearest of the stored configurations that apply to an account, in effect or not; `null`: none, or its OUs are not known by id. */
export function nearestConfiguration(
  stored: readonly OrganizationConfiguration[],
  { id, unitIds = [] }: { readonly id: AccountId; readonly unitIds?: readonly string[] },
): { readonly ruleMode: RuleMode | null; readonly ruleModeSource: GoverningConfiguration } | null {
  const byTarget = new Map(stored.map(({ target, ruleMode }) => [target.id, ruleMode]));
  const targetId = [...unitIds, id].findLast((each) => byTarget.has(each));
  if (targetId === undefined) return null;
  const type = targetId === id ? 'applied' : 'inherited';
  return { ruleMode: byTarget.get(targetId) ?? null, ruleModeSource: { type, targetId } };
}

/** The place of an account in the tree of OUs. */
export interface Branch {
  readonly ou: string;
  readonly unitIds?: readonly string[] | undefined;
}

/** The path of the OU or root that has the configuration, as in policies; `null`: it is on an account, or the path is not known. */
export function targetPath({ targetId }: RuleModeSource, branch: Branch | null): string | null {
  const depth = targetId === null ? -1 : (branch?.unitIds?.indexOf(targetId) ?? -1);
  if (branch === null || depth < 0) return null;
  const steps = branch.ou.split('/').slice(1, depth + 1);
  return `/${steps.join('/')}`;
}

/** What the configuration is set on, for people: `OU /Workloads (ou-…)`. */
export function targetText(source: RuleModeSource, accountId: AccountId, branch: Branch | null): string {
  const { targetId, type } = source;
  if (type === 'applied' || targetId === accountId) return `account ${accountId}`;
  if (targetId === null) return 'the account, a parent OU or the root';
  if (targetId.startsWith('r-')) return `the root (${targetId})`;
  const path = targetPath(source, branch);
  return path === null ? `OU ${targetId}` : `OU ${path} (${targetId})`;
}

/** A stored configuration, for people: `NoneAllowed on OU /Workloads (ou-…)`. Its path is found in the accounts below it. */
export function configurationText(
  { target: { type, id }, ruleMode }: OrganizationConfiguration,
  branches: readonly Branch[],
): string {
  const mode = ruleMode ?? 'an unknown rule mode';
  if (type === 'account') return `${mode} on account ${id}`;
  const branch = branches.find(({ unitIds }) => unitIds?.includes(id)) ?? null;
  return `${mode} on ${targetText({ type: 'inherited', targetId: id }, '', branch)}`;
}

/** What a person can do where a configuration governs an account against the policy. */
export function governedText(
  { ruleMode, ruleModeSource }: { readonly ruleMode: RuleMode | null; readonly ruleModeSource: GoverningConfiguration },
  accountId: AccountId,
  branch: Branch | null,
): string {
  const effect =
    ruleMode === null ? 'decides the rule mode' : `sets ${ruleMode} and keeps ${TITLES[ASSOCIABLE]} enabled`;
  const target = targetText(ruleModeSource, accountId, branch);
  return `the organization enrollment configuration on ${target} ${effect}; change or delete it, or change the policy`;
}

/** What determines the rule mode of an account, for people; `null`: no configuration does. */
export function sourceText(
  {
    ruleMode,
    ruleModeSource,
  }: { readonly ruleMode: RuleMode | null; readonly ruleModeSource?: RuleModeSource | undefined },
  accountId: AccountId,
  branch: Branch | null,
): string | null {
  if (ruleModeSource === undefined) return null;
  const target = targetText(ruleModeSource, accountId, branch);
  return `${ruleMode ?? 'rule mode'}, set by the organization enrollment configuration on ${target}`;
}
