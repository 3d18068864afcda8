import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { type SettleDeps, settleControls } from '../operator/apply-controls.ts';
import { announceExemptions } from '../operator/exemption-notices.ts';

/** What the tick sees to because its time has come, in both runtimes: suspensions that end, exemptions that end or soon will. */
export async function operatorTasks(deps: SettleDeps, policy: CompiledPolicy): Promise<number> {
  const settled = await settleControls(deps);
  return settled + (await announceExemptions(deps, policy));
}
