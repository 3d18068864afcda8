import * as z from 'zod';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from './documents.ts';
import { unrecordedSchema } from './pending-entry.ts';
import { readTyped } from './typed-register.ts';

/** The policy in force is the policy of the last scan. */
export const POLICY = storedDocument(
  REGISTERS.policy,
  z.object({
    hash: z.string(),
    /** The `PolicyChanged` entry of this policy. */
    unrecorded: unrecordedSchema,
  }),
);

/** Hash of the policy in force; `null` before the first scan. */
export async function policyInForce(registers: Registers): Promise<string | null> {
  return (await readTyped(registers, POLICY))?.value.hash ?? null;
}
