import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { OtherOrganizationError } from '../../ports/binding.ts';
import type { Registers } from '../../ports/registers.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import { REGISTERS, storedDocument } from './documents.ts';
import { readTyped, writeTyped } from './typed-register.ts';

/*
 * A store belongs to one organization (invariant 9). Otherwise a command with the credentials of another organization would
 * record that every account has left. The first command that reads AWS and may write binds the store to its organization.
 */
const binding = z.object({
  organizationId: z.string(),
  /** Epoch ms. */
  boundAt: z.number(),
  /** ARN of the caller that bound it, or the operator whose restore did. */
  by: z.string(),
});
type Binding = z.infer<typeof binding>;

export const ORGANIZATION = storedDocument(REGISTERS.organization, binding);

export function bindingTo(organizationId: string, { at, by }: { readonly at: EpochMs; readonly by: string }): Binding {
  return { organizationId, boundAt: at, by };
}

export interface BindingDeps {
  readonly registers: Registers;
  readonly snapshots: Pick<SnapshotStore, 'meta'>;
}

/** The organization that the store belongs to: the bound one, else that of the last listing of accounts; `null`: none yet. */
export async function organizationOf({ registers, snapshots }: BindingDeps): Promise<string | null> {
  const bound = await readTyped(registers, ORGANIZATION);
  return bound?.value.organizationId ?? (await snapshots.meta())?.organizationId ?? null;
}

/** @throws OtherOrganizationError if the store belongs to another organization than `organizationId`. Writes nothing. */
export async function requireOrganization(deps: BindingDeps, organizationId: string): Promise<void> {
  const owner = await organizationOf(deps);
  if (owner !== null && owner !== organizationId) throw otherOrganization(owner, organizationId);
}

/** Binds the store to the caller's organization. @throws OtherOrganizationError if it belongs to another; nothing is written. */
export async function bindOrganization(
  deps: BindingDeps,
  { organizationId, arn }: { readonly organizationId: string; readonly arn: string },
  now: EpochMs,
): Promise<void> {
  const { registers } = deps;
  if ((await registers.read(ORGANIZATION.name)) === null) {
    await requireOrganization(deps, organizationId);
    const written = await writeTyped(registers, ORGANIZATION, bindingTo(organizationId, { at: now, by: arn }), null);
    if (written !== null) return;
  }
  await requireOrganization(deps, organizationId);
}

function otherOrganization(owner: string, found: string): OtherOrganizationError {
  return new OtherOrganizationError(
    `This store belongs to organization ${owner}, but the credentials belong to organization ${found}. Nothing was written. Use credentials ` +
      `of ${owner}, or keep ${found} in a store of its own: another --data-dir, or another table (ROLLCALL_TABLE) and queues.`,
    { owner, found },
  );
}
