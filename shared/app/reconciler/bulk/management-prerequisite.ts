import type { AccountRecord } from '../../../domain/account/record.ts';
import { stalledPollMs } from '../../../domain/enrollment/backoff.ts';
import { ASSOCIABLE, kindOf } from '../../../domain/enrollment/kinds/index.ts';
import { ChangeRefused } from '../guard.ts';
import type { WorkContext } from '../worker-context.ts';

/**
 * Members can be associated only while the management account's own Automation is Active [automation-disable]. If it was last observed in another
 * state, this refuses the call until the management account has been checked again. `null`: it is Active, or this caller cannot know.
 */
export function managementPrerequisite(work: WorkContext, own: AccountRecord | null): ChangeRefused | null {
  const { caller, deps } = work;
  const condition = own?.conditions[ASSOCIABLE] ?? null;
  if (caller.role !== 'management' || condition === null || condition.status === null) return null;
  if (condition.status === 'Active') return null;
  const now = deps.clock.now();
  const known = condition.notBefore === null ? null : Date.parse(condition.notBefore);
  const notBefore =
    known !== null && known > now ? known : now + pauseMs(now - Date.parse(condition.since), deps.random);
  const message = `the management account's own ${kindOf(ASSOCIABLE).title} is ${condition.status}; nothing can be associated with it until it is Active`;
  return new ChangeRefused('prerequisite', message, notBefore);
}

/**
 * The pause before the next check, ms. Short at first, because Automation may be about to become Active; grows with the time that it has been off.
 */
function pauseMs(lasted: number, random: () => number): number {
  return lasted < 15 * 60_000 ? 15_000 + random() * 15_000 : stalledPollMs(lasted, random);
}
