import { RUNS, restoredRun } from '../coordination/run-store.ts';
import { update } from '../coordination/typed-register.ts';
import { APPROVALS, restoredApproval } from '../guardrails/approvals.ts';
import { halt } from '../guardrails/controls.ts';
import { commandContext, organizationEntry } from '../ledger/organization-entry.ts';
import { writeOrganizationEntry } from '../ledger/write-entries.ts';
import type { OperatorDeps } from './commands.ts';

/** Takes the place of the backup file's name in the entry. */
const OUTSIDE = 'restored outside of Rollcall';

/**
 * Records that the store was restored by something other than `rollcall restore`, such as the point-in-time recovery of DynamoDB, which leaves no trace
 * in the audit log. The transparency log then continues under a new name, so that checkpoints are signed again. Rollcall cannot know which halts,
 * suspensions and changes were lost, so it first halts changes and ends all approvals, as `rollcall restore` does.
 */
export async function acknowledgeRestore(deps: OperatorDeps, reason: string): Promise<void> {
  await halt(deps, reason);
  await endApprovals(deps);
  const detail = {
    message: `${OUTSIDE}, acknowledged by ${deps.actor}: ${reason}; enforcement is halted`,
    restore: { file: OUTSIDE, replaced: null, lost: null },
  };
  await writeOrganizationEntry(deps, () =>
    organizationEntry(commandContext(deps), 'StoreRestored', { reason: 'operator', detail }),
  );
}

/** An approval that was used after the time of the backup is unused again, and would permit its changes a second time. */
async function endApprovals({ registers, clock }: Pick<OperatorDeps, 'registers' | 'clock'>): Promise<void> {
  const now = clock.now();
  for (const { name } of await registers.list(APPROVALS.prefix))
    await update(registers, { ...APPROVALS, name }, (approval) => restoredApproval(name, [approval], now));
  for (const { name } of await registers.list(RUNS.prefix))
    await update(registers, { ...RUNS, name }, (run) => restoredRun(name, run, null, now));
}
