import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { Request } from './engine-cloud.ts';
import { unitIdsOf, unitsOf } from './units.ts';

/**
 * The organization and its configurations may have been read this long before a call acts, ms. AWS offers no call that depends on an unchanged
 * tree, so what somebody else changes between the last read and the call cannot be noticed: a survey may be a minute old when the call is
 * planned, and the call is sent within a minute of its intents; the rest is the slowness of the simulated stores.
 */
const READ_DELAY_MS = 3 * 60 * 1000;

/** After a call whose answer was lost, Rollcall regards a configuration like the requested one as its own for this long, ms. */
const LOST_MS = 5 * 60 * 1000;

type RuleMode = AccountTruth['automation']['organizationRuleMode'];

/** An account that a Put or Delete call changes. */
interface Affected {
  readonly account: AccountTruth;
  readonly optOut: boolean;
  /** The account keeps its rule mode. */
  readonly enrolls: boolean;
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
  /** By target: the rule mode that Rollcall stored last, and the one from before if an answer may have been lost. */
  readonly #own = new Map<string, ReadonlySet<string>>();
  /** By target: the same before the latest call. */
  readonly #ownBefore = new Map<string, ReadonlySet<string>>();
  /** By target: the last Put of Rollcall that AWS has refused. */
  readonly #refused = new Map<string, { readonly mode: string; readonly at: number }>();
  /** By target: the configuration as last observed. */
  #stored: ReadonlyMap<string, RuleMode> = new Map();
  /** When somebody else last changed a configuration, by target. */
  readonly #foreignAt = new Map<string, number>();
  /** By account: the facts that decide whether a call changes it, and when somebody else last changed them. */
  readonly #facts = new Map<string, { readonly facts: string; readonly since: number }>();
  /** Target and rule mode of each configuration of somebody else whose replacement or deletion an operator has approved. */
  readonly #approved = new Set<string>();

  constructor(sandbox: Sandbox, now: () => number) {
    this.#sandbox = sandbox;
    this.#now = now;
  }

  /**
   * Call before and after everything that may change the organization.
   * @param byUs whether a call of Rollcall made the changes since the last time. Its workers know them from the records.
   */
  observe(byUs = false): void {
    for (const account of this.#sandbox.accounts()) {
      const { accountId, ou, state, automation, computeOptimizer } = account;
      const facts = [ou, state, computeOptimizer.status, automation.status, automation.organizationRuleMode].join(' ');
      const known = this.#facts.get(accountId);
      if (known?.facts === facts) continue;
      const since = byUs ? (known?.since ?? this.#now()) : this.#now();
      this.#facts.set(accountId, { facts, since });
    }
    const stored = this.#configurations();
    for (const id of new Set([...stored.keys(), ...this.#stored.keys()]))
      if (!byUs && stored.get(id) !== this.#stored.get(id)) this.#foreignAt.set(id, this.#now());
    this.#stored = stored;
  }

  #configurations(): ReadonlyMap<string, RuleMode> {
    return new Map(this.#sandbox.configurations().map((each) => [each.targetId, each.organizationRuleMode]));
  }

  /** An operator has approved a plan with these keys. */
  approve(planKeys: readonly string[]): void {
    for (const key of planKeys) {
      const [kind, target, , , owner, replaces] = key.split(' ');
      // A plan also has calls that replace nothing of others.
      if (kind !== 'configuration' || owner !== 'other') continue;
      // The plans of an earlier version do not say which rule mode they replace.
      const modes = replaces === undefined ? ['AnyAllowed', 'NoneAllowed'] : [replaces];
      for (const mode of modes) this.#approved.add(`${target} ${mode}`);
    }
  }

  /** Whether the target has a configuration of somebody else, which a caller must have seen, and which nobody approved to change. */
  isForeign(input: Request['input']): boolean {
    const target = targetOf(input);
    const stored = this.#sandbox.configurations().find(({ targetId }) => targetId === target);
    if (stored === undefined || this.#own.get(target)?.has(stored.organizationRuleMode) === true) return false;
    const changedAt = this.#changedAt(target);
    // If the answer was lost, Rollcall does not know that its call was refused. The same rule mode, stored soon afterwards, looks like the result.
    const refused = this.#refused.get(target);
    if (refused?.mode === stored.organizationRuleMode && changedAt >= refused.at && changedAt <= refused.at + LOST_MS)
      return false;
    return !this.#wasChanged(target) && !this.#approved.has(`${target} ${stored.organizationRuleMode}`);
  }

  /** When somebody else last changed the configuration of this target; −Infinity: never. */
  #changedAt(targetId: string): number {
    return this.#foreignAt.get(targetId) ?? Number.NEGATIVE_INFINITY;
  }

  /** Whether somebody else may have changed it since the configurations were read. */
  #wasChanged(targetId: string): boolean {
    return this.#now() - this.#changedAt(targetId) <= READ_DELAY_MS;
  }

  /** Rollcall has sent this call. If its answer is lost, Rollcall may take both rule modes for its own. */
  sent({ operation, input }: Request): void {
    if (!operation.startsWith('Put')) return;
    const target = targetOf(input);
    const present = this.#stored.get(target);
    const before = this.#own.get(target) ?? new Set();
    const kept = present !== undefined && before.has(present) ? [present] : [];
    this.#ownBefore.set(target, before);
    this.#own.set(target, new Set([String(input['organizationRuleMode']), ...kept]));
  }

  /** AWS has refused this call. */
  refused({ operation, input }: Request): void {
    if (!operation.startsWith('Put')) return;
    const target = targetOf(input);
    this.#own.set(target, this.#ownBefore.get(target) ?? new Set());
    this.#refused.set(target, { mode: String(input['organizationRuleMode']), at: this.#now() });
  }

  /** Whether the target is as this call leaves it. */
  hasActed({ operation, input }: Request): boolean {
    const wanted = operation.startsWith('Put') ? input['organizationRuleMode'] : undefined;
    return this.#configurations().get(targetOf(input)) === wanted;
  }

  /** Whether Rollcall knows that the configuration of a target is its own, and changes it without an approval. */
  isOwn(targetId: string | undefined): boolean {
    const stored = this.#sandbox.configurations().find((each) => each.targetId === targetId);
    const [latest] = this.#own.get(targetId ?? '') ?? [];
    return stored !== undefined && latest === stored.organizationRuleMode;
  }

  /** The accounts that this call will change, without those that somebody else has changed since the organization was read. */
  affected({ operation, input }: Request): readonly Affected[] {
    const target = targetOf(input);
    const present = this.#configurations();
    const after = new Map(present);
    if (operation.startsWith('Put')) after.set(target, ruleModeOf(input['organizationRuleMode']));
    else after.delete(target);
    const units = unitsOf(this.#sandbox);
    return this.#sandbox.accounts().flatMap((account) => {
      const lineage = [account.accountId, ...unitIdsOf(units, account.ou).toReversed()];
      // A nearer configuration decides, even one that AWS is still applying.
      if (nearest(operation.startsWith('Put') ? after : present, lineage) !== target) return [];
      // Somebody else may have deleted a nearer one since the configurations were read.
      const nearer = lineage.slice(0, lineage.indexOf(target));
      if (nearer.some((id) => this.#wasChanged(id)) || !this.#isEligible(account)) return [];
      const { status, organizationRuleMode: before } = account.automation;
      const applied = after.get(nearest(after, lineage) ?? '') ?? null;
      const mode = applied ?? 'NoneAllowed';
      if (mode === before && (applied === null || status !== 'Inactive')) return [];
      return [{ account, optOut: before === 'AnyAllowed' && mode === 'NoneAllowed', enrolls: mode === before }];
    });
  }

  #isEligible({ accountId, state, management, computeOptimizer }: AccountTruth): boolean {
    // AWS applies a configuration to an account that has just been opted in to Compute Optimizer by another call.
    const since = Math.max(this.#facts.get(accountId)?.since ?? 0, computeOptimizer.lastUpdatedTimestamp.getTime());
    const active = state === 'ACTIVE' && computeOptimizer.status === 'Active';
    return !management && active && this.#now() - since > READ_DELAY_MS;
  }
}

/** The target of the configuration that decides; `null`: none applies. */
function nearest(stored: ReadonlyMap<string, RuleMode>, lineage: readonly string[]): string | null {
  return lineage.find((id) => stored.has(id)) ?? null;
}

function ruleModeOf(value: unknown): RuleMode {
  return value === 'AnyAllowed' ? 'AnyAllowed' : 'NoneAllowed';
}

function targetOf(input: Request['input']): string {
  const { target } = input;
  if (typeof target !== 'object' || target === null) return '';
  return String(Reflect.get(target, 'accountId') ?? Reflect.get(target, 'organizationalUnitId'));
}
