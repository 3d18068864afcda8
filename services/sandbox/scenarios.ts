import type { EngineOptions } from './engine/options.ts';

/** Named worlds: a name decides everything that no flag decides. */
export const SCENARIOS = {
  /** Fits on a screen. */
  small: { accounts: 25, drift: 0.2 },
  /** Wholly remediable, and throttled so that a run is worth watching yet ends within half a minute. */
  demo: { accounts: 500, drift: 0.2, rate: 12, orgRate: 8, latencyMs: 15 },
  /** As large as AWS lets an organization get. */
  large: { accounts: 10_000, drift: 0.05 },
  /** Everything that a network and a busy service can do, but each only now and then. */
  stormy: {
    accounts: 200,
    drift: 0.3,
    rate: 20,
    latencyMs: 5,
    faults: [
      { kind: 'throttle', probability: 0.1 },
      { kind: 'unavailable', probability: 0.03 },
      { kind: 'internal', probability: 0.03 },
      { kind: 'reset', probability: 0.02 },
      { kind: 'slow', probability: 0.03, delayMs: 400 },
      { kind: 'empty-page', probability: 0.1 },
      { kind: 'torn-page', probability: 0.02 },
    ],
  },
  /** Some members cannot be reached, because their role cannot be assumed. */
  'broken-roles': { accounts: 60, drift: 0.4, brokenRoles: 0.25 },
  /** Some members opted out of Automation within the last 24 hours; the others that have it are associated. */
  cooldown: { accounts: 60, drift: 0.1, coolingDown: 0.5 },
  /** Changes stay Pending for a while. */
  pending: { accounts: 60, drift: 0.3, pendingMs: 5000 },
  /** Organizations as it was before accounts had State and Paths. */
  'older-organizations': { accounts: 25, drift: 0.2, accountShape: 'older' },
} as const satisfies Readonly<Record<string, Partial<EngineOptions>>>;

export type ScenarioName = keyof typeof SCENARIOS;

export function isScenarioName(name: string): name is ScenarioName {
  return Object.hasOwn(SCENARIOS, name);
}
