import type { Deps } from '../../shared/app/context.ts';
import type { SavedPlan } from '../../shared/app/plan/saved-plan.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { readJsonFile } from '../../shared/config/text-file.ts';
import { toIso } from '../../shared/domain/time.ts';
import { CommandError } from './errors.ts';
import type { LoadedPolicy } from './session.ts';
import { instant } from './ui/words.ts';

/** A saved plan and the file that it was read from. */
export interface ReadPlan extends SavedPlan {
  readonly path: string;
}

/** Reads a plan that `plan --out` saved. @throws CommandError unless it is one, unedited, of this policy */
export async function readPlan(path: string, { file, policy }: LoadedPolicy): Promise<ReadPlan> {
  const { readSavedPlan } = await import('../../shared/app/plan/saved-plan.ts');
  const result = readSavedPlan(readJsonFile(path));
  if (!result.ok) throw new CommandError('PlanInvalid', `${path} cannot be used: ${result.problem}. Make a new plan.`);
  if (result.plan.policyHash !== policy.hash) {
    const made = `${path} was made for another policy (${result.plan.policyHash.slice(0, 12)})`;
    const now = `${file} is ${policy.hash.slice(0, 12)}`;
    throw new CommandError(
      'PlanOutdated',
      `${made}; ${now}. Make a new plan: rollcall plan --policy ${file} --out ${path}`,
    );
  }
  return { ...result.plan, path };
}

/** @throws CommandError if the plan is for another organization, or none of its changes may be made any more */
export async function requireUsable(
  { caller, deps }: Pick<Runtime, 'caller' | 'deps'>,
  saved: ReadPlan | null,
  policyFile: string,
): Promise<void> {
  if (saved === null) return;
  if (saved.organizationId !== caller.organizationId)
    throw new CommandError(
      'PlanOutdated',
      `The plan is for organization ${saved.organizationId}, the credentials are for ${caller.organizationId}. ` +
        `Use credentials of ${saved.organizationId}, or make a new plan.`,
    );
  await requireChangesLeft(deps, saved, policyFile);
}

/**
 * A saved plan can be continued for a day, until all its changes are made. If all its changes waited for a change window, the day begins when the
 * window opens. The plan does not cover drift that began after it was first applied.
 */
async function requireChangesLeft(
  { registers, records, clock }: Pick<Deps, 'registers' | 'records' | 'clock'>,
  { id, keys, path }: ReadPlan,
  policyFile: string,
): Promise<void> {
  const [{ appliedPlan, continuedUntil }, { isAnyLeft }] = await Promise.all([
    import('../../shared/app/plan/applied-plans.ts'),
    import('../../shared/app/scan/later-drifts.ts'),
  ]);
  const applied = await appliedPlan(registers, id);
  if (applied === null) return;
  const isExpired = clock.now() >= continuedUntil(applied);
  if (!isExpired && (await isAnyLeft({ records }, keys, applied.at))) return;
  const why = isExpired
    ? `It could be applied again until ${instant(toIso(continuedUntil(applied)))}`
    : 'None of its changes is left, and it does not cover drift that began later';
  throw new CommandError(
    'PlanApplied',
    `${path} was applied at ${instant(toIso(applied.at))}. ${why}. ` +
      `Make a new plan: rollcall plan --policy ${policyFile} --out ${path} --force`,
  );
}
