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
  return ((await policyInForce(registers)) ?? hash) === hash;
}

/** @throws OutdatedPolicyError unless the policy is in force, or none is yet */
export async function requireInForce(registers: Registers, hash: string): Promise<void> {
  const inForce = (await policyInForce(registers)) ?? hash;
  if (inForce !== hash) throw new OutdatedPolicyError(hash, inForce);
}

/** How old an answer of {@link PolicyWatch} may be, ms. */
const FRESH_MS = 1_000;

/** Watches whether a process's policy is in force, with at most one read a second. */
export class PolicyWatch {
  readonly #registers: Registers;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #hash: string;
  #known: { readonly inForce: string; readonly at: EpochMs } | null = null;

  constructor(
    { registers, clock }: { readonly registers: Registers; readonly clock: Pick<Clock, 'now'> },
    hash: string,
  ) {
    this.#registers = registers;
    this.#clock = clock;
    this.#hash = hash;
  }

  /** Whether the policy is in force, or none is yet. */
  async isInForce(): Promise<boolean> {
    const now = this.#clock.now();
    // The difference is negative after the clock was set back. The known answer may be old then.
    if (this.#known === null || Math.abs(now - this.#known.at) >= FRESH_MS) {
      this.#known = { inForce: (await policyInForce(this.#registers)) ?? this.#hash, at: now };
    }
    return this.#known.inForce === this.#hash;
  }

  /** @throws OutdatedPolicyError unless {@link isInForce} */
  async require(): Promise<void> {
    if (await this.isInForce()) return;
    throw new OutdatedPolicyError(this.#hash, this.#known?.inForce ?? '');
  }
}
