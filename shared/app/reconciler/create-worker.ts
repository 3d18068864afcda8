import type { Deps, RunContext, Settings } from '../context.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { RunStore } from '../coordination/run-store.ts';
import { ControlsView } from '../guardrails/controls.ts';
import { LedgerWriter } from '../ledger/ledger-writer.ts';
import type { Retrying } from '../support/retry.ts';
import { AutomationListingCache } from './automation-listing-cache.ts';
import { Guard } from './checks/guard.ts';
import { checksOf } from './checks/index.ts';
import type { WorkContext } from './worker-context.ts';

/** Creates the shared context of the workers of one process. */
export async function createWork(
  deps: Deps,
  settings: Settings,
  retrying: Retrying,
  policy: RunContext['policy'],
  boundTo: string | null = null,
): Promise<WorkContext> {
  const runs = new RunStore(deps.registers);
  const controls = new ControlsView(deps.registers, deps.clock);
  return {
    deps,
    settings,
    retrying,
    journal: new LedgerWriter(deps),
    runs,
    guard: new Guard(runs, checksOf({ deps, runs, policy, controls })),
    controls,
    policy,
    caller: await retrying(() => deps.cloud.identify()),
    automationListing: new AutomationListingCache(deps.cloud, retrying, deps.clock, settings.maxAccounts),
    boundTo,
    holds: [],
    beganInForce: (await policyInForce(deps.registers)) === policy.hash,
  };
}
