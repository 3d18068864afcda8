import { describe, expect, it } from 'vitest';
import type { Fault } from '../../services/sandbox/engine/faults.ts';
import { createRandom, randomBelow, sample } from '../../services/sandbox/engine/random.ts';
import { CloudError } from '../../shared/ports/cloud.ts';
import { StoreError } from '../../shared/ports/store-error.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import type { PolicyParts } from '../support/world-policy.ts';

const HOUR_MS = 3_600_000;

const POLICIES: readonly PolicyParts[] = [
  {},
  { automation: 'Active' },
  { automation: 'Active', organizationRules: 'AnyAllowed' },
  { organizationEnrollment: 'auto' },
  { organizationEnrollment: 'auto', automation: 'Active', organizationRules: 'AnyAllowed' },
  { organizationRules: 'NoneAllowed' },
  { automation: 'Inactive', organizationRules: 'NoneAllowed' },
  {
    more: 'rules: [{ id: off, match: { ou: /Sandbox }, computeOptimizer: Inactive }, { id: watched, match: { ou: /Canary }, mode: alert }]',
  },
];

const FAULTS: readonly Fault[] = [
  { kind: 'throttle', probability: 0.1 },
  { kind: 'unavailable', probability: 0.1 },
  { kind: 'reset', probability: 0.05 },
  { kind: 'empty-page', probability: 0.2 },
  { kind: 'torn-page', probability: 0.1 },
  { kind: 'denied', operation: 'AssumeRole', probability: 0.1 },
  { kind: 'denied', operation: 'UpdateEnrollmentStatus', code: 'InvalidParameterValueException', probability: 0.2 },
  { kind: 'denied', operation: 'AssociateAccounts', code: 'ForbiddenException', probability: 0.3 },
  { kind: 'internal', operation: 'ListAccounts', probability: 0.3 },
];

/** Random events between and during runs. */
class Chaos {
  readonly #world: World;
  readonly #random: () => number;

  constructor(world: World, random: () => number) {
    this.#world = world;
    this.#random = random;
  }

  #some<T>(items: readonly T[], most: number): T[] {
    return sample(this.#random, items, randomBelow(this.#random, most + 1));
  }

  disturb(): void {
    const { sandbox, clock } = this.#world;
    const id = ({ accountId }: { accountId: string }) => accountId;
    sandbox.setFaults(this.#some(FAULTS, 4));
    sandbox.drift({ accounts: randomBelow(this.#random, 8), seed: randomBelow(this.#random, 1_000) });
    const moved = this.#some(this.#world.members(), 3).map(id);
    sandbox.changeAccounts({
      update: moved.map((accountId) => ({ accountId, ou: this.#random() < 0.5 ? '/Sandbox' : '/Workloads/Dev' })),
    });
    sandbox.changeAccounts({
      update: this.#some(this.#world.members(), 1).map((account) => ({ accountId: id(account), state: 'SUSPENDED' })),
    });
    sandbox.changeAccounts({ remove: this.#some(this.#world.members(), 1).map(id) });
    sandbox.changeAccounts({ add: this.#some([{ ou: '/Canary' }, { ou: '/Platform' }], 2) });
    if (this.#random() < 0.1) sandbox.setTrustedAccess(false);
    clock.advance(this.#random() ** 4 * 48 * HOUR_MS);
  }

  /** A run that is cut short at some moment, in one of several ways, or not. */
  async run(policy: PolicyParts): Promise<void> {
    const { wire } = this.#world;
    const stop = new AbortController();
    const moment = randomBelow(this.#random, 150);
    const start = wire.count;
    const way = randomBelow(this.#random, 4);
    wire.onAnswer = ({ roleSession }) => {
      if (wire.count - start < moment) return undefined;
      if (way === 0) stop.abort();
      if (way !== 1 || roleSession !== undefined) return undefined;
      return {
        kind: 'error',
        error: { code: 'ExpiredTokenException', httpStatus: 403, message: 'expired' },
        delayMs: 0,
      };
    };
    const maxPages = way === 2 ? 40 + randomBelow(this.#random, 300) : undefined;
    try {
      const waitMs = randomBelow(this.#random, 2) * HOUR_MS;
      await this.#world.run({
        policy,
        stop: stop.signal,
        waitMs,
        settings: { retryBudgetMs: 2_000 },
        ...(maxPages !== undefined && { maxPages }),
      });
    } catch (error) {
      if (!(error instanceof CloudError) && !(error instanceof StoreError)) throw error;
    } finally {
      wire.onAnswer = null;
    }
  }
}

/** More of them: CHAOS_SEEDS=4,5,6 npx vitest run test/scenario/chaos */
const seeds = (process.env['CHAOS_SEEDS'] ?? '1,2,3').split(',').map(Number);

describe('whatever happens', () => {
  it.each(seeds)('every account becomes compliant, and the ledger shows how (seed %i)', async (seed) => {
    const random = createRandom(seed);
    const world = await startWorld({
      sandbox: {
        accounts: 30 + randomBelow(random, 50),
        seed,
        drift: random() * 0.6,
        coolingDown: random() < 0.3 ? 0.3 : 0,
        pendingMs: random() < 0.4 ? randomBelow(random, 120_000) : 0,
      },
    });
    const chaos = new Chaos(world, random);
    let policy: PolicyParts = POLICIES[randomBelow(random, POLICIES.length)] ?? {};
    for (let round = 0; round < 4; round += 1) {
      chaos.disturb();
      if (random() < 0.3) policy = POLICIES[randomBelow(random, POLICIES.length)] ?? {};
      await chaos.run(policy);
    }
    world.sandbox.setFaults([]);
    world.sandbox.setTrustedAccess(true);
    for (let day = 0; day < 3; day += 1) {
      world.clock.advance(25 * HOUR_MS);
      await world.run({ policy, waitMs: 2 * HOUR_MS });
    }
    const last = await world.run({ policy, waitMs: 2 * HOUR_MS });
    expect(last.open.filter(({ reason }) => reason !== 'alertOnly')).toEqual([]);
    const dead = await world.look(async ({ queue }) => (await queue.depth()).dead);
    await checkWorld(world, {
      repeatedCalls: true,
      deadLetters: dead,
      openDrift: (accountId) => world.sandbox.accounts(accountId)[0]?.ou === '/Canary',
    });
  });
});
