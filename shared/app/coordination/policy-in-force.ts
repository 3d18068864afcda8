import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock } from '../../ports/system.ts';
import { REGISTERS, storedDocument } from './documents.ts';
import { OutdatedPolicyError } from './outdated-policy-error.ts';
import { unrecordedSchema } from './pending-entry.ts';
import { readTyped } from './typed-register.ts';

/** The policy in force is the policy of the last scan. */
export const POLICY = storedDocument(
  REGISTERS.policy,
  z.object({
    hash: z.string(),
    /** The `PolicyChanged` entry of this policy, until the audit log has it. */
    unrecorded: unrecordedSchema,
  }),
);

/** Hash of the policy in force; `null` before the first scan. */
export async function policyInForce(registers: Registers): Promise<string | null> {
  return (await readTyped(registers, POLICY))?.value.hash ?? null;
}

/** Whether the policy is in force, or none is yet. */
export async function isInForce(registers: Registers, hash: string): Promise<boolean> {
  return isSameOrNone(await policyInForce(registers), hash);
}

/** @throws OutdatedPolicyError unless the policy is in force, or none is yet */
export async function requireInForce(registers: Registers, hash: string): Promise<void> {
  requireSameOrNone(await policyInForce(registers), hash);
}

const isSameOrNone = (inForce: string | null, hash: string): boolean => inForce === null || inForce === hash;

function requireSameOrNone(inForce: string | null, hash: string): void {
  if (inForce !== null && inForce !== hash) throw new OutdatedPolicyError(hash, inForce);
}

/** How old an answer of {@link PolicyWatch} may be, ms. */
const FRESH_MS = 1_000;

/** The same for a process that asks often: reads the policy in force at most once a second. */
export class PolicyWatch {
  readonly #registers: Registers;
  readonly #clock: Pick<Clock, 'now'>;
  #known: { readonly inForce: string | null; readonly at: EpochMs } | null = null;

  constructor({ registers, clock }: { readonly registers: Registers; readonly clock: Pick<Clock, 'now'> }) {
    this.#registers = registers;
    this.#clock = clock;
  }

  async isInForce(hash: string): Promise<boolean> {
    return isSameOrNone(await this.#inForce(), hash);
  }

  /** @throws OutdatedPolicyError unless {@link isInForce} */
  async require(hash: string): Promise<void> {
    requireSameOrNone(await this.#inForce(), hash);
  }

  async #inForce(): Promise<string | null> {
    const now = this.#clock.now();
    // The difference is negative after the clock was set back. The known answer may be old then.
    if (this.#known === null || Math.abs(now - this.#known.at) >= FRESH_MS)
      this.#known = { inForce: await policyInForce(this.#registers), at: now };
    return this.#known.inForce;
  }
}
