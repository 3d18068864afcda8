import type { EngineOptions } from './engine/options.ts';

/** Named presets. Options given explicitly override them. */
export const SCENARIOS = {
  /** An organization whose accounts fit on one screen. */
  small: { accounts: 25, drift: 0.2 },
  /** All drift can be remediated. Throttling makes a run slow enough to watch, but it ends within half a minute. */
  demo: { accounts: 500, drift: 0.2, rate: 12, orgRate: 8, latencyMs: 15 },
  /** AWS's maximum size of an organization. */
  large: { accounts: 10_000, drift: 0.05 },
  /** Every kind of network and service fault, each of them rare. */
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
  /** The role of some members cannot be assumed. */
  'broken-roles': { accounts: 60, drift: 0.4, brokenRoles: 0.25 },
  /** Some members opted out of Automation within the last 24 hours. All members with Automation are associated. */
  cooldown: { accounts: 60, drift: 0.1, coolingDown: 0.5 },
  /** Changes stay Pending for 5 s. */
  pending: { accounts: 60, drift: 0.3, pendingMs: 5000 },
  /** Organization enrollment configurations on two OUs, and on one OU below the first of them: the nearest configuration sets the rule mode. */
  configurations: {
    accounts: 60,
    drift: 0.1,
    configurations: [
      { ou: '/Workloads', organizationRuleMode: 'NoneAllowed' },
      { ou: '/Workloads/Prod', organizationRuleMode: 'AnyAllowed' },
      { ou: '/Sandbox', organizationRuleMode: 'NoneAllowed' },
    ],
  },
  /** The API of Organizations before accounts had State and Paths. */
  'older-organizations': { accounts: 25, drift: 0.2, accountShape: 'older' },
} as const satisfies Readonly<Record<string, Partial<EngineOptions>>>;

export type ScenarioName = keyof typeof SCENARIOS;

export function isScenarioName(name: string): name is ScenarioName {
  return Object.hasOwn(SCENARIOS, name);
}
