import * as z from 'zod';
import type { Registers } from '../../ports/registers.ts';
import { readTyped } from './typed-register.ts';

/** The register that names the policy in force: the one that was scanned last. */
export const POLICY_REGISTER = 'policy';

export const policySchema = z.object({ hash: z.string() });

/** Hash of the policy in force; `null` before the first scan. */
export async function policyInForce(registers: Registers): Promise<string | null> {
  return (await readTyped(registers, POLICY_REGISTER, policySchema))?.value.hash ?? null;
}
