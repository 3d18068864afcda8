import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { Request } from './engine-cloud.ts';
import { unitIdsOf, unitsOf } from './units.ts';

/** OUs and configurations may have been read this long before a call is sent, ms. */
const READ_DELAY_MS = 3 * 60 * 1000;
/** One message may make several calls on one survey of the organization, and waits up to eight minutes in between, ms. */
export const SURVEY_AGE_MS = 10 * 60 * 1000;

type RuleMode = AccountTruth['automation']['organizationRuleMode'];

/** An account that a Put or Delete call changes. */
interface Affected {
  readonly account: AccountTruth;
  readonly optOut: boolean;
}

const CALLS: ReadonlySet<string> = new Set([
  'PutOrganizationEnrollmentConfiguration',
  'DeleteOrganizationEnrollmentConfiguration',
]);

export function isConfigurationCall({ operation }: Pick<Request, 'operation'>): boolean {
  return CALLS.has(operation);
}

/** Who stored the configuration of a target, and which accounts a call for it changes. */
export class ManagedConfigurations {
  readonly #sandbox: Sandbox;
  readonly #now: () => number;
  /** The rule modes that Rollcall has stored, by target. */
  readonly #own = new Map<string, Set<string>>();
  /** When somebody else last changed a configuration, by target. */
  readonly #foreignAt = new Map<string, number>();
  /** By account: its OU and rule mode, and since when. */
  readonly #places = new Map<string, { readonly place: string; readonly since: number }>();
  readonly #approved = new Set<string>();

  constructor(sandbox: Sandbox, now: () => number) {
    this.#sandbox = sandbox;
    this.#now = now;
  }

  /** Call before and after everything that may change the organization. */
  observe(): void {
    for (const { accountId, ou, automation } of this.#sandbox.accounts()) {
      const place = `${ou} ${automation.organizationRuleMode}`;
      if (this.#places.get(accountId)?.place !== place) this.#places.set(accountId, { place, since: this.#now() });
    }
  }

  /** An operator has approved a plan with these keys. */
  approve(planKeys: readonly string[]): void {
    for (const key of planKeys) {
      const [kind, target] = key.split(' ');
      if (kind === 'configuration' && target !== undefined) this.#approved.add(target);
    }
  }

  changedByOthers(input: Request['input']): void {
    this.#foreignAt.set(targetOf(input), this.#now());
  }

  /** Whether the target has a configuration of somebody else, which a caller must have seen, and which nobody approved to change. */
  isForeign(input: Request['input']): boolean {
    const target = targetOf(input);
    const stored = this.#sandbox.configurations().find(({ targetId }) => targetId === target);
    if (stored === undefined || this.#own.get(target)?.has(stored.organizationRuleMode) === true) return false;
    const changedAt = this.#foreignAt.get(target) ?? Number.NEGATIVE_INFINITY;
    return this.#now() - changedAt > READ_DELAY_MS && !this.#approved.has(target);
  }

  /** Rollcall has made this call. */
  changedByUs({ operation, input }: Request): void {
    const target = targetOf(input);
    const modes = this.#own.get(target) ?? new Set();
    if (operation.startsWith('Put')) this.#own.set(target, modes.add(String(input['organizationRuleMode'])));
  }

  /** Whether Rollcall may change the configuration that applies to the account. */
  isOwn(targetId: string | undefined): boolean {
    const stored = this.#sandbox.configurations().find((each) => each.targetId === targetId);
    return stored !== undefined && this.#own.get(stored.targetId)?.has(stored.organizationRuleMode) === true;
  }

  /** The accounts that this call will change, without those that have changed since the survey. */
  affected({ operation, input }: Request): readonly Affected[] {
    const target = targetOf(input);
    const after = new Map(this.#sandbox.configurations().map((each) => [each.targetId, each.organizationRuleMode]));
    if (operation.startsWith('Put')) after.set(target, ruleModeOf(input['organizationRuleMode']));
    else after.delete(target);
    const units = unitsOf(this.#sandbox);
    return this.#sandbox.accounts().flatMap((account) => {
      const lineage = [account.accountId, ...unitIdsOf(units, account.ou).toReversed()];
      if (!lineage.includes(target) || !this.#isEligible(account)) return [];
      const { status, organizationRuleMode: before } = account.automation;
      const applied = nearest(after, lineage);
      const mode = applied ?? 'NoneAllowed';
      if (mode === before && (applied === null || status !== 'Inactive')) return [];
      return [{ account, optOut: before === 'AnyAllowed' && mode === 'NoneAllowed' }];
    });
  }

  #isEligible({ accountId, state, management, computeOptimizer }: AccountTruth): boolean {
    const since = Math.max(this.#places.get(accountId)?.since ?? 0, computeOptimizer.lastUpdatedTimestamp.getTime());
    const active = state === 'ACTIVE' && computeOptimizer.status === 'Active';
    return !management && active && this.#now() - since >= SURVEY_AGE_MS;
  }
}

function nearest(stored: ReadonlyMap<string, RuleMode>, lineage: readonly string[]): RuleMode | null {
  const target = lineage.find((id) => stored.has(id));
  return target === undefined ? null : (stored.get(target) ?? null);
}

function ruleModeOf(value: unknown): RuleMode {
  return value === 'AnyAllowed' ? 'AnyAllowed' : 'NoneAllowed';
}

function targetOf(input: Request['input']): string {
  const { target } = input;
  if (typeof target !== 'object' || target === null) return '';
  return String(Reflect.get(target, 'accountId') ?? Reflect.get(target, 'organizationalUnitId'));
}
