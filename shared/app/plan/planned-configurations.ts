import { type ConfigurationCall, decideConfigurations } from '../../domain/decision/configuration-calls.ts';
import { configurationKey } from '../../domain/decision/configuration-key.ts';
import type { ConfigurationTree } from '../../domain/decision/configuration-planner.ts';
import { configurationTree, type ExplainedTree, TreeChangedError } from '../../domain/decision/configuration-tree.ts';
import { type ConfigurationChange, type ConfigurationOwner, isChange } from '../../domain/decision/plan.ts';
import { ASSOCIABLE, actionFor, type Operation } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, RuleMode } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { OwnConfigurations } from '../guardrails/own-configurations.ts';
import type { AssociableAccount } from '../survey/assessment-table.ts';
import type { StoredConfigurations } from '../survey/stored-configurations.ts';
import type { Survey } from '../survey/survey.ts';

/** One Put or Delete call, for people and for the plan's hash. The shape of a call of `configurations` in `plan --json`. */
interface PlannedConfiguration extends ConfigurationChange {
  /** The path of the root or OU, or the account's id. */
  readonly target: string;
  /** Accounts that the call changes now. */
  readonly accounts: number;
  readonly optOuts: number;
  /** The rule mode of accounts that join below later; `null`: the target is an account, or no configuration applies to them. */
  readonly joiners: RuleMode | null;
  /** The call is made only with an approval of this plan, because the configuration belongs to somebody else. */
  readonly needsApproval: boolean;
}

/** The shape of `configurations` in `plan --json`. */
export interface PlannedConfigurations {
  readonly calls: readonly PlannedConfiguration[];
  /** OUs that no configuration covers, and why. Accounts there are changed by other calls. */
  readonly notCovered: readonly { readonly ou: string; readonly why: string }[];
  /** Configurations that stay although the policy does not want them, because they apply to accounts that are unmanaged, in mode `alert` or not active. */
  readonly kept: readonly KeptConfiguration[];
  /** How many more calls the same changes would need without configurations. */
  readonly callsSaved: number;
}

interface KeptConfiguration {
  readonly targetId: string;
  /** The path of the root or OU, or the account's id. */
  readonly target: string;
  readonly ruleMode: RuleMode;
  readonly why: string;
}

/** The calls of a plan with the accounts that each of them changes. */
export interface DecidedConfigurations {
  readonly calls: readonly ConfigurationCall[];
  /** The calls that need an approval. */
  readonly asked: readonly ConfigurationCall[];
  readonly shown: Omit<PlannedConfigurations, 'callsSaved'>;
}

interface ConfigurationOwners {
  /** The configurations that Rollcall stored. */
  readonly own: OwnConfigurations;
  /** The keys (`configurationKey`) of an approved plan. It may change configurations of others. */
  readonly approved: ReadonlySet<string>;
  /** Targets for which AWS has refused a call of this run. */
  readonly refused: ReadonlySet<string>;
}

/** The calls for the organization as surveyed; `null`: the policy does not manage configurations. */
export function configurationsOf(
  policy: CompiledPolicy,
  survey: Survey,
  owners: ConfigurationOwners,
): DecidedConfigurations | null {
  const { configurations } = survey;
  if (configurations === null) return null;
  const explained = explain(policy, survey, configurations);
  if (typeof explained === 'string') return nothing(explained);
  const known = new Map(survey.associable.map((each) => [each.account.id, each]));
  const drifted = new Set(idsOf(survey.associable.filter(({ assessment }) => isChange(assessment))));
  const held = new Set(
    idsOf(survey.associable.filter(({ assessment }) => assessment.reason === 'organizationConfiguration')),
  );
  const { stored } = configurations;
  const isOurs = (id: string): boolean => {
    const present = stored.get(id);
    return present !== undefined && owners.own.isOurs(id, present);
  };
  const isForeign = (id: string): boolean => stored.has(id) && !isOurs(id);
  const { calls, refused, effective } = decideConfigurations(explained.tree, (call) => {
    if (owners.refused.has(call.targetId)) return false;
    if (isForeign(call.targetId)) return owners.approved.has(configurationKey(changeOf(call, stored, 'other')));
    return !owners.own.isContested(call.targetId);
  });
  // As for other calls, an incomplete listing of any kind forbids opt-outs. The calls depend on each other, so without one of them none is made.
  if (survey.broken.length > 0 && calls.some(optsOut))
    return nothing(`a listing is incomplete, so no account is opted out: ${survey.broken.join('; ')}`);
  const made = calls.map((call) => limited(call, known));
  const isContested = ({ targetId }: ConfigurationCall): boolean =>
    !isForeign(targetId) && owners.own.isContested(targetId);
  const deleted = new Set([...calls, ...refused].flatMap((call) => (call.effect === 'delete' ? [call.targetId] : [])));
  const asked = askedCalls(
    explained.tree,
    refused.map((call) => limited(call, known)),
    {
      isForeign,
      isContested,
      isDrifted: (id) => drifted.has(id),
      isHeld: (id) => held.has(id),
      stays: (id) => stored.has(id) && !deleted.has(id),
    },
  );
  const pathOf = new Map(configurations.units.map(({ id, path }) => [id, path]));
  const show = (call: ConfigurationCall): PlannedConfiguration => {
    const { effect, targetId, ruleMode, accounts } = call;
    const path = pathOf.get(targetId) ?? null;
    const joiners = effect === 'put' ? ruleMode : (effective.get(targetId) ?? null);
    return {
      ...changeOf(call, stored, !stored.has(targetId) ? 'none' : isOurs(targetId) ? 'rollcall' : 'other'),
      target: path ?? targetId,
      accounts: accounts.size,
      optOuts: [...accounts.values()].filter(Boolean).length,
      joiners: path === null ? null : joiners,
      needsApproval: asked.includes(call),
    };
  };
  const contested = refused.filter(isContested).map(({ targetId }) => {
    const why = 'somebody else keeps deleting the configuration that Rollcall stores there';
    return { ou: pathOf.get(targetId) ?? targetId, why };
  });
  const uncovered = configurations.units.flatMap(({ id, path: ou }) => {
    const why = explained.whyNot.get(id);
    return why === undefined || (effective.get(id) ?? null) !== null ? [] : [{ ou, why }];
  });
  const kept = [...explained.kept].flatMap(([targetId, why]) => {
    const ruleMode = stored.get(targetId);
    return ruleMode === undefined ? [] : [{ targetId, target: pathOf.get(targetId) ?? targetId, ruleMode, why }];
  });
  const shown = { calls: [...made, ...asked].map(show), notCovered: [...contested, ...uncovered], kept };
  return { calls: made, asked, shown };
}

interface Refusals {
  readonly isForeign: (targetId: string) => boolean;
  readonly isContested: (call: ConfigurationCall) => boolean;
  readonly isDrifted: (accountId: AccountId) => boolean;
  /** Whether only a change of the configuration that applies to the account lets the account's own call take effect. */
  readonly isHeld: (accountId: AccountId) => boolean;
  /** Whether the target has a configuration that neither this plan nor an approval of it deletes. */
  readonly stays: (targetId: string) => boolean;
}

/**
 * The refused calls for which an approval is requested: those at or below a target whose configuration is somebody else's, if a refused call there
 * changes an account that differs from the policy, or deletes the configuration that keeps such an account from being changed. The approved run makes
 * all of them, also those that change only later joiners, because they depend on each other.
 */
function askedCalls(
  { containers, accounts }: ConfigurationTree,
  refused: readonly ConfigurationCall[],
  { isForeign, isContested, isDrifted, isHeld, stays }: Refusals,
): readonly ConfigurationCall[] {
  const parents = new Map([...containers, ...accounts].map(({ id, parentId }) => [id, parentId]));
  const lineage = (targetId: string): readonly string[] => {
    const ids: string[] = [];
    for (let id: string | null = targetId; id !== null; id = parents.get(id) ?? null) ids.push(id);
    return ids;
  };
  const targets = new Set(refused.map(({ targetId }) => targetId));
  const contested = new Set(refused.filter(isContested).map(({ targetId }) => targetId));
  // A delete changes no account that already has the inherited rule mode, but as long as a configuration applies, AWS refuses to disassociate the account.
  const frees = ({ effect, targetId, reached }: ConfigurationCall): boolean =>
    effect === 'delete' && reached.some(isHeld) && !lineage(targetId).some(stays);
  const helps = (call: ConfigurationCall): boolean => [...call.accounts.keys()].some(isDrifted) || frees(call);
  const helpful = new Set(refused.flatMap((call) => (helps(call) ? lineage(call.targetId) : [])));
  return refused.filter(({ targetId }) => {
    const above = lineage(targetId);
    const shields = above.filter((id) => targets.has(id) && isForeign(id));
    return shields.length > 0 && shields.every((id) => helpful.has(id)) && !above.some((id) => contested.has(id));
  });
}

export function operationOf({ effect }: ConfigurationCall): Operation {
  return actionFor(ASSOCIABLE, effect === 'put' ? 'putConfiguration' : 'deleteConfiguration').operation;
}

function changeOf(
  call: ConfigurationCall,
  stored: StoredConfigurations['stored'],
  owner: ConfigurationOwner,
): ConfigurationChange {
  const { effect, targetId, ruleMode } = call;
  const replaces = stored.get(targetId) ?? null;
  return { operation: operationOf(call), targetId, ruleMode: effect === 'put' ? ruleMode : null, owner, replaces };
}

/** No call is made anywhere, for one reason that is shown for the root. */
export function nothing(why: string): DecidedConfigurations {
  return { calls: [], asked: [], shown: { calls: [], notCovered: [{ ou: '/', why }], kept: [] } };
}

/** The tree to plan calls on, or the reason why there is none, for example an incomplete listing of Automation or its prerequisites. */
function explain(
  policy: CompiledPolicy,
  survey: Survey,
  { units, stored, problem }: StoredConfigurations,
): ExplainedTree | string {
  if (problem !== null) return problem;
  if (!survey.complete[ASSOCIABLE]) return `a listing is incomplete: ${survey.broken.join('; ')}`;
  try {
    return configurationTree({
      policy,
      units,
      accounts: survey.associable,
      configurations: stored,
      knownIds: new Set(survey.snapshot.accounts.map(({ id }) => id)),
      suspensions: survey.controls.inForce(survey.at),
      now: survey.at,
    });
  } catch (error) {
    if (error instanceof TreeChangedError) return `the organization changed while it was read: ${error.message}`;
    throw error;
  }
}

const idsOf = (accounts: readonly AssociableAccount[]): AccountId[] => accounts.map(({ account }) => account.id);

const optsOut = ({ accounts }: ConfigurationCall): boolean => [...accounts.values()].includes(true);

/**
 * Whether a call that reaches the account changes it. AWS changes the account even if something delays the account's own call. An account in progress
 * is already being enabled, so only a different rule mode counts as a change by this call.
 */
function isChangedBy(
  call: ConfigurationCall,
  { assessment: { verdict, ruleMode }, eligible }: AssociableAccount,
): boolean {
  if (!eligible || verdict === 'NotApplicable') return false;
  return verdict !== 'Converging' || (ruleMode ?? 'NoneAllowed') !== call.ruleMode;
}

/** The call with only the accounts whose changes it makes. */
function limited(call: ConfigurationCall, known: ReadonlyMap<AccountId, AssociableAccount>): ConfigurationCall {
  const accounts = [...call.accounts].filter(([id]) => {
    const account = known.get(id);
    return account !== undefined && isChangedBy(call, account);
  });
  return { ...call, accounts: new Map(accounts) };
}
