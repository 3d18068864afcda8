import { optedIn, optInRequired, refuseOutsiders } from './automation-callers.ts';
import type { ConfigurationTarget } from './configurations.ts';
import { type Call, Failure, integer, type Operations, text, texts } from './operation.ts';
import { isOpen } from './organization.ts';
import { invalidToken, paginate } from './pages.ts';
import { isRecord } from './smithy.ts';
import type { OrganizationalUnit, Output, RuleMode } from './types.ts';

const DEFAULT_PAGE = 1000;

/** Automation's operations on organization enrollment configurations. Source: its API reference. */
export const configurationOperations: Operations = {
  PutOrganizationEnrollmentConfiguration: { run: putConfiguration, mutating: true },
  DeleteOrganizationEnrollmentConfiguration: { run: deleteConfiguration, mutating: true },
  ListOrganizationEnrollmentConfigurations: { run: listConfigurations },
  ListOrganizationalUnits: { run: listOrganizationalUnits },
};

/** Outsiders get AccessDeniedException, because AWS does not document NotManagementAccountException for these operations. */
function refuse(call: Call): Failure | null {
  const refusal = refuseOutsiders(call, 'AccessDeniedException');
  if (refusal !== null) return refusal;
  return optedIn(call.world.organization.management) ? null : optInRequired();
}

const invalid = (message: string): Failure => new Failure('InvalidParameterValueException', message);

function putConfiguration(call: Call): Output | Failure {
  const { world, input, now } = call;
  const refusal = refuse(call);
  if (refusal !== null) return refusal;
  const mode = ruleModeOf(text(input, 'organizationRuleMode'));
  if (mode === null) return invalid('The organizationRuleMode is required.');
  const target = targetOf(call);
  if (target instanceof Failure) return target;
  world.enrollments.configure(target, mode, now);
  return {};
}

function deleteConfiguration(call: Call): Output | Failure {
  const { world, now } = call;
  const refusal = refuse(call);
  if (refusal !== null) return refusal;
  const target = targetOf(call);
  if (target instanceof Failure) return target;
  if (world.enrollments.configurations.stored(target.id) === undefined)
    return invalid(`There is no configuration for ${target.id}.`);
  world.enrollments.configure(target, null, now);
  return {};
}

function ruleModeOf(value: string | undefined): RuleMode | null {
  return value === 'AnyAllowed' || value === 'NoneAllowed' ? value : null;
}

/** The target of a change, unless it does not exist or is being changed. */
function targetOf({ world, input }: Call): ConfigurationTarget | Failure {
  const { organization, enrollments } = world;
  const named = isRecord(input['target']) ? input['target'] : {};
  const accountId = text(named, 'accountId');
  const unitId = text(named, 'organizationalUnitId') ?? '';
  const account = accountId === undefined ? undefined : organization.account(accountId);
  if (account?.management === true) return invalid('The management account cannot have a configuration.');
  if (account !== undefined && !isOpen(account)) return invalid(`Account ${account.id} is not active.`);
  const target = accountId === undefined ? organization.unit(unitId) : account;
  if (target === undefined) return invalid(`${accountId ?? unitId} is not in the organization.`);
  if (enrollments.configurations.isChanging(target))
    return new Failure('ConflictException', `Another change that affects ${target.id} is in progress.`);
  return target;
}

function listConfigurations(call: Call): Output | Failure {
  const refusal = refuse(call);
  if (refusal !== null) return refusal;
  const { world, input } = call;
  const type = text(input, 'targetType');
  const listed = paginate(call, {
    items: world.enrollments.configurations.all,
    key: ({ targetId }) => targetId,
    size: integer(input, 'maxResults') ?? DEFAULT_PAGE,
    token: text(input, 'nextToken'),
    scope: type ?? '',
    show: (stored) => (type === undefined || stored.targetType === type ? stored : undefined),
  });
  return listed === null
    ? invalidToken()
    : { organizationEnrollmentConfigurations: listed.page, nextToken: listed.nextToken };
}

function listOrganizationalUnits(call: Call): Output | Failure {
  const refusal = refuse(call);
  if (refusal !== null) return refusal;
  const { world, input } = call;
  const ids = texts(input, 'organizationalUnitIds');
  const unknown = ids.find((id) => world.organization.unit(id) === undefined);
  if (unknown !== undefined) return invalid(`${unknown} is not in the organization.`);
  const wanted = new Set(ids);
  const listed = paginate(call, {
    items: world.organization.units,
    key: ({ id }) => id,
    size: integer(input, 'maxResults') ?? DEFAULT_PAGE,
    token: text(input, 'nextToken'),
    scope: [...wanted].sort().join(','),
    show: (unit) => (wanted.size === 0 || wanted.has(unit.id) ? unitInfo(call, unit) : undefined),
  });
  return listed === null ? invalidToken() : { organizationalUnits: listed.page, nextToken: listed.nextToken };
}

function unitInfo({ world }: Call, unit: OrganizationalUnit): Output {
  const configured = world.enrollments.configurations.nearest(unit);
  const source =
    configured === null
      ? { sourceType: 'Default' }
      : { sourceType: configured.targetId === unit.id ? 'Applied' : 'Inherited', sourceTargetId: configured.targetId };
  return {
    organizationalUnitId: unit.id,
    autoEnrollMemberAccounts: configured === null ? 'None' : 'All',
    organizationRuleMode: configured?.mode ?? 'NoneAllowed',
    organizationRuleModeSource: source,
  };
}
