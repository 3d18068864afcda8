import { halt } from '../guardrails/controls.ts';
import { commandContext, organizationEntry } from '../ledger/organization-entry.ts';
import { writeOrganizationEntry } from '../ledger/write-entries.ts';
import type { OperatorDeps } from './commands.ts';

/** Stands for the name of the backup in the entry. */
const OUTSIDE = 'restored outside of Rollcall';

/**
 * Records that the store was restored by something other than `rollcall restore`, such as the point-in-time recovery of DynamoDB, which leaves no trace
 * in the audit log. The transparency log then continues under a new name, so that checkpoints are signed again. Nothing shows which halts, suspensions and
 * changes are lost, so changes are halted first, as after `rollcall restore`.
 */
export async function acknowledgeRestore(deps: OperatorDeps, reason: string): Promise<void> {
  await halt(deps, reason);
  const detail = {
    message: `${OUTSIDE}, acknowledged by ${deps.actor}: ${reason}; enforcement is halted`,
    restore: { file: OUTSIDE, replaced: null, lost: null },
  };
  await writeOrganizationEntry(deps, () =>
    organizationEntry(commandContext(deps), 'StoreRestored', { reason: 'operator', detail }),
  );
}
