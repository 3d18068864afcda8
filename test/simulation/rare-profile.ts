import { RunStore } from '../../shared/app/coordination/run-store.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { Simulation } from './environment.ts';
import type { Operators } from './operators.ts';
import { SeededRandom } from './seeded-random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The share of histories with each profile. */
const SHARES = { approval: 0.06, slowEnrollment: 0.03, windows: 0.03 } as const;
/** The share with the profile `deletion`, of the histories in which Rollcall manages the configurations. */
const DELETION_SHARE = 0.2;
type Name = keyof typeof SHARES | 'deletion';

const APPROVAL_POLICY =
  'version: 1\nguardrails: { maxChanges: { percent: 0, atLeast: 2 }, minCoverage: 0 }\nschedule: 10m\nlimits: { callsPerSecond: 1, concurrency: 2 }\ndefaults: { computeOptimizer: Active }\n';
/** A window of one minute in every two. At one call a second, calls for several accounts are claimed while it is open and sent when it is closed. */
const WINDOWS_POLICY =
  "version: 1\nguardrails: { maxChanges: { percent: 100, atLeast: 1 }, maxOptOuts: { percent: 100, atLeast: 1 }, minCoverage: 0 }\nschedule: 10m\nlimits: { callsPerSecond: 1, concurrency: 4 }\ndefaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }\nwindows:\n  - { kind: allow, cron: '*/2 * * * *', duration: 1m, timezone: UTC }\n";

/**
 * A few histories with combinations that random histories rarely have:
 * - `approval`: an operator approves a plan; somebody else makes two of its changes before the run does, and undoes them after it. Only a second use of the
 *   approval could make these two again.
 * - `slowEnrollment`: AWS needs longer for an enrollment than the policy waits for it.
 * - `windows`: short change windows.
 * - `deletion`: an edit of the policy after which Rollcall must delete all its configurations.
 * It uses a separate random stream, so that the other histories stay as they were.
 */
export class RareProfile {
  readonly #chance: SeededRandom;
  readonly #name: Name | null;
  #hasApproved = false;

  /** @param manages whether Rollcall manages organization enrollment configurations */
  constructor(seed: number, manages: boolean) {
    this.#chance = new SeededRandom(Math.imul(seed, 0x1b873593) ^ 0x7ed55d16);
    const drawn = this.#chance.random();
    const { approval, slowEnrollment, windows } = SHARES;
    if (drawn < approval) this.#name = 'approval';
    else if (drawn < approval + slowEnrollment) this.#name = 'slowEnrollment';
    else if (drawn < approval + slowEnrollment + windows) this.#name = 'windows';
    else this.#name = manages && drawn > 1 - DELETION_SHARE ? 'deletion' : null;
  }

  /** How the organization differs. */
  get world(): { readonly accounts?: number; readonly drift?: number; readonly pendingMs?: number } {
    if (this.#name === 'approval') return { accounts: this.#chance.between(7, 9), drift: 1, pendingMs: 0 };
    return this.#name === 'slowEnrollment' ? { pendingMs: this.#chance.between(2, 4) * HOUR } : {};
  }

  /** The policies before and after an edit. */
  texts(others: readonly [string, string]): readonly [string, string] {
    if (this.#name === 'approval') return [APPROVAL_POLICY, APPROVAL_POLICY];
    if (this.#name === 'windows') return [WINDOWS_POLICY, WINDOWS_POLICY];
    return this.#name === 'deletion' ? [others[0], withoutAutomation(others[0])] : others;
  }

  begin(simulation: Simulation, operators: Operators): void {
    if (this.#name === 'approval') this.#approveLater(simulation, operators);
  }

  /** Looks for a plan to approve every few minutes, until there is one. */
  #approveLater(simulation: Simulation, operators: Operators): void {
    simulation.time.after(this.#chance.between(2, 6) * MINUTE, () => {
      if (simulation.calmed || this.#hasApproved) return;
      void this.#approve(simulation, operators);
      this.#approveLater(simulation, operators);
    });
  }

  async #approve(simulation: Simulation, operators: Operators): Promise<void> {
    const [plan] = await new RunStore(simulation.stores.registers).storedPlans('');
    if (plan === undefined) return;
    this.#hasApproved = true;
    const planned = new Set(plan.keys.map((key) => key.split(' ')[0]));
    const open = simulation.sandbox.accounts().filter(({ accountId, computeOptimizer }) => {
      return planned.has(accountId) && computeOptimizer.status === 'Inactive';
    });
    const ids = this.#chance.shuffled(open.map(({ accountId }) => accountId)).slice(0, 2);
    setAll(simulation, ids, 'Active');
    operators.command('approve', simulation.caller.accountId);
    simulation.time.after(this.#chance.between(15, 30) * MINUTE, () => setAll(simulation, ids, 'Inactive'));
  }
}

/** A policy with the same limits that declares Automation Inactive everywhere. */
function withoutAutomation(text: string): string {
  const head = text.slice(0, text.indexOf('defaults:'));
  return `${head}defaults: { computeOptimizer: Active, automation: Inactive, organizationRules: NoneAllowed }\n`;
}

/** Somebody else changes these accounts, if they are still in the organization. */
function setAll(simulation: Simulation, ids: readonly AccountId[], status: 'Active' | 'Inactive'): void {
  const { sandbox, checker } = simulation;
  const present = sandbox.accounts().filter(({ accountId, state }) => ids.includes(accountId) && state === 'ACTIVE');
  const changes = present.map(({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status }) as const);
  simulation.note(`someone: ${status} ${ids.join(' ')}`);
  if (changes.length === 0) return;
  checker.observe();
  sandbox.drift({ changes });
  checker.observe();
}
