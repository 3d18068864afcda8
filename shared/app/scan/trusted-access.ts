import * as z from 'zod';
import { toIso } from '../../domain/time.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Deps, RunContext } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { entryContext, organizationEntry } from '../ledger/organization-entry.ts';
import { writeOrganizationEntry } from '../ledger/write-entries.ts';

/** Trusted access for Compute Optimizer as last read. */
const trustedAccess = z.object({
  enabled: z.boolean(),
  /** When this state was first observed, ISO 8601. */
  since: z.string(),
});
export type TrustedAccess = z.infer<typeof trustedAccess>;

export const TRUSTED_ACCESS = storedDocument(REGISTERS.trustedAccess, trustedAccess);

const LOST =
  'trusted access for Compute Optimizer is off in the organization: its members are no longer opted in, and Automation cannot be managed ' +
  'for them; opting in the organization again restores it [security-iam]';
const RESTORED = 'trusted access for Compute Optimizer is on again in the organization';

/** The state as last read; `null` if it was never read. */
export async function knownTrustedAccess(registers: Registers): Promise<TrustedAccess | null> {
  return (await readTyped(registers, TRUSTED_ACCESS))?.value ?? null;
}

/**
 * Stores whether a scan found trusted access enabled, and records a change in the organization's chain.
 * @param enabled `null`: it could not be read, and nothing is stored
 */
export async function noteTrustedAccess(deps: Deps, run: RunContext, enabled: boolean | null): Promise<void> {
  if (enabled === null) return;
  const known = await readTyped(deps.registers, TRUSTED_ACCESS);
  if ((known?.value.enabled ?? null) === enabled) return;
  // The entry is written first, so that a crash causes a duplicate entry, not a missing one.
  if (known !== null || !enabled) {
    const reason = enabled ? 'trustedAccessRestored' : 'trustedAccessLost';
    const detail = { message: enabled ? RESTORED : LOST };
    await writeOrganizationEntry(deps, () =>
      organizationEntry(entryContext(deps, run), 'VerdictChanged', { reason, detail }),
    );
  }
  const since = toIso(deps.clock.now());
  await update(deps.registers, TRUSTED_ACCESS, (current) =>
    current?.enabled === enabled ? current : { enabled, since },
  );
}
