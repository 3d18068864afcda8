import * as z from 'zod';
import { toIso } from '../../domain/time.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Deps, RunContext } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import type { LedgerWriter } from '../ledger/ledger-writer.ts';
import { organizationEntry } from '../ledger/organization-entry.ts';

/** Whether the organization trusted Compute Optimizer when it was last asked. */
const trustedAccess = z.object({
  enabled: z.boolean(),
  /** When it was first found so, ISO 8601. */
  since: z.string(),
});
export type TrustedAccess = z.infer<typeof trustedAccess>;

export const TRUSTED_ACCESS = storedDocument(REGISTERS.trustedAccess, trustedAccess);

const LOST =
  'trusted access for Compute Optimizer is off in the organization: its members are no longer opted in, and Automation cannot be managed ' +
  'for them; opting in the organization again restores it [security-iam]';
const RESTORED = 'trusted access for Compute Optimizer is on again in the organization';

/** What is known of it without asking AWS; `null`: nothing. */
export async function knownTrustedAccess(registers: Registers): Promise<TrustedAccess | null> {
  return (await readTyped(registers, TRUSTED_ACCESS))?.value ?? null;
}

/**
 * Notes what a scan was told. A change is an entry about the organization, with the reason code `trustedAccessLost` or
 * `trustedAccessRestored`; that it has been on all along is none. `null` (could not be asked) says nothing.
 */
export async function noteTrustedAccess(
  deps: Deps,
  journal: LedgerWriter,
  run: RunContext,
  enabled: boolean | null,
): Promise<void> {
  if (enabled === null) return;
  const known = await readTyped(deps.registers, TRUSTED_ACCESS);
  if ((known?.value.enabled ?? null) === enabled) return;
  // The entry first: told twice is better than never.
  if (known !== null || !enabled) {
    const reason = enabled ? 'trustedAccessRestored' : 'trustedAccessLost';
    const detail = { message: enabled ? RESTORED : LOST };
    await journal.organization(() => organizationEntry(deps, run, 'VerdictChanged', { reason, detail }));
  }
  const since = toIso(deps.clock.now());
  await update(deps.registers, TRUSTED_ACCESS, (current) =>
    current?.enabled === enabled ? current : { enabled, since },
  );
}
