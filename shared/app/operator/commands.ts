import type { DeadLetters } from '../../ports/queue.ts';
import type { Deps } from '../context.ts';
import { commandContext, organizationEntry } from '../ledger/organization-entry.ts';
import { writeOrganizationEntry } from '../ledger/write-entries.ts';
import { makeScanDue } from '../schedule/scan-schedule.ts';
import { type EnqueuedAccounts, enqueueAccounts } from '../work-queue/enqueue-event-accounts.ts';

export type OperatorDeps = Pick<Deps, 'ledger' | 'records' | 'registers' | 'clock' | 'newId' | 'actor'>;

interface Command {
  readonly type: 'ScanRequested' | 'DeadLettersRedriven';
  readonly reason: string | null;
  readonly message: string;
  readonly summary?: Readonly<Record<string, unknown>>;
}

/** Records an operator's command in the organization's chain before it is carried out. */
async function recordCommand(deps: OperatorDeps, { type, reason, message, summary }: Command): Promise<void> {
  const context = commandContext(deps);
  const why = reason === null ? message : `${message}: ${reason}`;
  const detail = { message: why, ...(summary === undefined ? {} : { summary }) };
  const draft = organizationEntry(context, type, { reason: 'operator', detail });
  await writeOrganizationEntry(deps, () => draft);
}

/** Makes a scan due immediately. It begins after a running scan has ended. */
export async function askForScan(deps: OperatorDeps, reason: string | null): Promise<void> {
  await recordCommand(deps, { type: 'ScanRequested', reason, message: `${deps.actor} asked for a scan now` });
  await makeScanDue(deps.registers, { kind: 'scan', actor: deps.actor, reason });
}

/** Enqueues accounts, so that workers read them within seconds. */
export async function checkAccounts(
  deps: OperatorDeps & Pick<Deps, 'queue'>,
  asked: { readonly accounts: readonly string[]; readonly policyHash: string; readonly reason: string | null },
): Promise<EnqueuedAccounts> {
  const { accounts, policyHash, reason } = asked;
  const which = accounts.length === 1 ? `account ${accounts[0]}` : `${accounts.length} accounts`;
  const message = `${deps.actor} asked to check ${which} again`;
  await recordCommand(deps, { type: 'ScanRequested', reason, message, summary: { accounts } });
  return enqueueAccounts(deps, policyHash, accounts);
}

/** @returns the ids that were put back on the queue */
export async function redrive(
  deps: OperatorDeps & { readonly deadLetters: DeadLetters },
  ids: readonly string[],
  reason: string | null,
): Promise<readonly string[]> {
  const message = `${deps.actor} puts ${ids.length === 1 ? 'a dead letter' : `${ids.length} dead letters`} back on the queue`;
  await recordCommand(deps, { type: 'DeadLettersRedriven', reason, message, summary: { ids: ids.slice(0, 100) } });
  return deps.deadLetters.redrive(ids);
}
