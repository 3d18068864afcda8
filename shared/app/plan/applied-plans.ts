import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Registers } from '../../ports/registers.ts';
import { documentFamily, REGISTERS } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';
import type { Plan } from './plan.ts';

const schema = z.object({
  /** The first run that was bound to a saved plan. */
  runId: z.string(),
  /** When that run was planned, epoch ms. */
  at: z.number(),
  /** If all changes of that run waited for a change window: when it opens, epoch ms; `null`: some did not wait. Older versions did not store it. */
  opensAt: z.number().nullable().default(null),
});

export const APPLIED_PLANS = documentFamily(REGISTERS.appliedPlan, schema);
type AppliedPlan = z.infer<typeof schema>;

/** How long a saved plan can be continued after its changes could first be made, ms: as long as an approval lasts. */
export const CONTINUED_MS = 24 * 60 * 60 * 1000;

/** Until when a saved plan can be applied again, epoch ms. */
export function continuedUntil({ at, opensAt }: AppliedPlan): EpochMs {
  return (opensAt ?? at) + CONTINUED_MS;
}

const KEEP_MS = 400 * CONTINUED_MS;

/** When the window opens that all changes of this plan wait for, epoch ms; `null`: they wait for nothing, or for something else. */
export function firstOpening(
  { windows }: Pick<CompiledPolicy, 'windows'>,
  { due, changes }: Pick<Plan, 'due' | 'changes'>,
  now: EpochMs,
): EpochMs | null {
  const waits =
    due.length === 0 && changes.some(({ reason, heldAction }) => reason === 'window' && heldAction !== 'none');
  return waits ? windows.nextOpening(now) : null;
}

/** The first application of a saved plan; `null`: it has not been applied. @param id identifies the file, not its content */
export async function appliedPlan(registers: Pick<Registers, 'read'>, id: string): Promise<AppliedPlan | null> {
  return (await readTyped(registers, APPLIED_PLANS.named(id)))?.value ?? null;
}

/** Records the first application of a saved plan. A later call changes nothing. */
export async function noteApplied(registers: Registers, id: string, applied: AppliedPlan): Promise<void> {
  await prune(registers, applied.at);
  await writeTyped(registers, APPLIED_PLANS.named(id), applied, null);
}

async function prune(registers: Registers, now: EpochMs): Promise<void> {
  for (const { name, value, version } of await registers.list(APPLIED_PLANS.prefix)) {
    const known = schema.safeParse(value);
    if (known.success && known.data.at < now - KEEP_MS) await registers.remove(name, version);
  }
}
