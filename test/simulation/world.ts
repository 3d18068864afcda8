import type { SeededRandom } from './seeded-random.ts';

const MINUTE = 60_000;

/** The organization of a seed. */
export function worldOf(seed: number, chance: SeededRandom) {
  return {
    ...{ seed, accounts: chance.between(5, 12), drift: chance.random(), latencyMs: 0, faults: [] },
    pendingMs: chance.of([0, 0, 20_000, 30 * MINUTE]),
    brokenRoles: chance.of([0, 0, 0.2]),
    coolingDown: chance.of([0, 0, 0.3]),
    rate: chance.of([undefined, 5]),
    orgRate: chance.of([undefined, 2]),
  };
}
