import * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { documentFamily, REGISTERS } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';

/** The first run that was bound to a saved plan, and when that run was planned, epoch ms. */
const schema = z.object({ runId: z.string(), at: z.number() });

export const APPLIED_PLANS = documentFamily(REGISTERS.appliedPlan, schema);
type AppliedPlan = z.infer<typeof schema>;

/** How long a saved plan can be continued after its first application, ms: as long as an approval lasts. */
export const CONTINUED_MS = 24 * 60 * 60 * 1000;
const KEEP_MS = 400 * CONTINUED_MS;

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
