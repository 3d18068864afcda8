import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { EngineOptions } from '../../services/sandbox/engine/options.ts';
import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { COVERED_CODES } from '../../services/sandbox/engine/types.ts';
import type { Request } from './engine-cloud.ts';
import type { Simulation } from './environment.ts';
import type { ExternalActors } from './external-actors.ts';
import { isConfigurationCall } from './managed-configurations.ts';
import { SeededRandom } from './seeded-random.ts';
import { unitIdsOf, unitsOf } from './units.ts';

const MINUTE = 60_000;
/** The share of histories with organization enrollment configurations. */
const SHARE = 0.25;
/** The share of these histories in which Rollcall manages the configurations. */
const MANAGED = 0.5;
const PUT = 'PutOrganizationEnrollmentConfiguration';
const DELETE = 'DeleteOrganizationEnrollmentConfiguration';
const ACTS = [
  'put',
  'put',
  'delete',
  'delete',
  'associate',
  'associate',
  'disassociate',
  'disassociate',
  'join',
  'move',
] as const;
/** After a call of Rollcall: what changes the tree on which its next calls were planned. */
const REACTIONS = ['move', 'move', 'put', 'delete', 'disassociate'] as const;
/** How long AWS takes to apply a configuration on an OU or the root, ms; `null`: a different time for each, up to five minutes. */
const DELAYS_MS = [null, null, 5_000, 285_000, 285_000] as const;
/** The share of calls for configurations after which somebody acts. */
const REACTS = 0.6;
/** AWS takes up to five minutes to apply a configuration, and Rollcall waits before it makes a call that overlaps, s. */
const REACTS_WITHIN_S = 90;
/** The share of requests that a new configuration overtakes. */
const OVERTAKES = 0.3;
const OVERTAKEN: ReadonlySet<string> = new Set([
  'AssociateAccounts',
  'DisassociateAccounts',
  'UpdateEnrollmentConfiguration',
]);
const MODES = ['AnyAllowed', 'NoneAllowed'] as const;

type Act = (typeof ACTS)[number];
type Call = Pick<Request, 'operation' | 'input'>;
type World = Pick<EngineOptions, 'coveredCode' | 'configurations'> &
  Partial<Pick<EngineOptions, 'configurationDelayMs'>>;
type Target = { readonly accountId: string } | { readonly organizationalUnitId: string };

interface Members {
  readonly account: AccountTruth;
  readonly members: readonly AccountTruth[];
}

/**
 * Administrators who put and delete organization enrollment configurations without Rollcall. They use a separate random stream, so that
 * histories without them stay as they were.
 */
export class ConfigurationAdministrators {
  /** Options of the sandbox; `null` if this history has no configurations. */
  readonly world: World | null;
  /** `organization.automationConfigurations` of the policies; `null` if this history has no configurations. */
  readonly automation: 'observe' | 'manage' | null;
  readonly #chance: SeededRandom;
  #calls = 0;

  constructor(seed: number) {
    this.#chance = new SeededRandom(Math.imul(seed, 0x1b873593) ^ 0x2545f491);
    this.world = this.#chance.happens(SHARE) ? this.#world() : null;
    const mode = this.#chance.happens(MANAGED) ? 'manage' : 'observe';
    this.automation = this.world === null ? null : mode;
  }

  #world(): World {
    const coveredCode = this.#chance.of(COVERED_CODES);
    const ou = this.#chance.of(['/', '/Workloads', '/Sandbox', '/Platform']);
    const organizationRuleMode = this.#chance.of(MODES);
    const configurations = this.#chance.happens(0.4) ? [{ ou, organizationRuleMode }] : [];
    const configurationDelayMs = this.#chance.of(DELAYS_MS);
    return { coveredCode, configurations, ...(configurationDelayMs !== null && { configurationDelayMs }) };
  }

  /** Repeats every few minutes until the calm phase. */
  begin(simulation: Simulation, externalActors: ExternalActors): void {
    if (this.world === null) return;
    simulation.time.after(this.#chance.between(1, 10) * MINUTE, () => {
      if (simulation.calmed) return;
      this.#act(simulation, externalActors);
      this.begin(simulation, externalActors);
    });
  }

  /** A request is about to act. Sometimes an administrator is faster: its sender could not know. */
  overtake(simulation: Simulation, externalActors: ExternalActors, request: Request): void {
    const { operation, callerAccountId, input } = request;
    if (this.world === null || simulation.calmed) return;
    if (isConfigurationCall(request)) this.#react(simulation, externalActors);
    if (!OVERTAKEN.has(operation)) return;
    const named: readonly unknown[] = Array.isArray(input['accountIds']) ? input['accountIds'] : [callerAccountId];
    const account = this.#chance.any(
      simulation.sandbox.accounts().filter(({ accountId }) => named.includes(accountId)),
    );
    if (account !== undefined && !account.management && this.#chance.happens(OVERTAKES))
      this.#administer(externalActors, this.#put(simulation.sandbox, account));
  }

  /** Rollcall puts or deletes a configuration. While it waits before its next call, somebody often changes the organization. */
  #react(simulation: Simulation, externalActors: ExternalActors): void {
    if (!this.#chance.happens(REACTS)) return;
    simulation.time.after(this.#chance.between(1, REACTS_WITHIN_S) * 1_000, () => {
      if (!simulation.calmed) this.#act(simulation, externalActors, this.#chance.of<Act>(REACTIONS));
    });
  }

  #act(simulation: Simulation, externalActors: ExternalActors, act = this.#chance.of<Act>(ACTS)): void {
    const members = simulation.sandbox.accounts().filter(({ management, state }) => !management && state === 'ACTIVE');
    const account = this.#chance.any(members);
    if (account === undefined) return;
    if (act === 'join' || act === 'move') {
      externalActors.make(act, account);
      return;
    }
    const request = this.#request(simulation.sandbox, act, { account, members });
    if (request !== null) this.#administer(externalActors, request);
  }

  #administer(externalActors: ExternalActors, request: Call): void {
    this.#calls += 1;
    externalActors.administer({ ...request, requestId: `administrator-${this.#calls}` });
  }

  #request(sandbox: Sandbox, act: Exclude<Act, 'join' | 'move'>, { account, members }: Members): Call | null {
    switch (act) {
      case 'put':
        return this.#put(sandbox, account);
      case 'delete': {
        const target = this.#stored(sandbox);
        return target === null
          ? null
          : { operation: DELETE, input: { target, configurationTypes: ['OrganizationRuleMode'] } };
      }
      case 'associate':
      case 'disassociate': {
        const chosen = this.#chance.shuffled(members).slice(0, 4);
        const operation = act === 'associate' ? 'AssociateAccounts' : 'DisassociateAccounts';
        return { operation, input: { accountIds: chosen.map(({ accountId }) => accountId) } };
      }
    }
  }

  #put(sandbox: Sandbox, account: AccountTruth): Call {
    const target = this.#targetAbove(sandbox, account);
    return { operation: PUT, input: { target, organizationRuleMode: this.#chance.of(MODES) } };
  }

  /** The account, or an OU above it. */
  #targetAbove(sandbox: Sandbox, { accountId, ou }: AccountTruth): Target {
    const above = unitIdsOf(unitsOf(sandbox), ou);
    return targetOf(this.#chance.any([...above, accountId]) ?? accountId);
  }

  #stored(sandbox: Sandbox): Target | null {
    const stored = this.#chance.any(sandbox.configurations());
    return stored === undefined ? null : targetOf(stored.targetId);
  }
}

function targetOf(id: string): Target {
  return /^\d/.test(id) ? { accountId: id } : { organizationalUnitId: id };
}
