import type { SavedPlan } from '../../shared/app/plan/saved-plan.ts';
import { readJsonFile } from '../../shared/config/text-file.ts';
import { CommandError } from './errors.ts';
import type { LoadedPolicy } from './session.ts';

/** Reads a plan that `plan --out` saved. @throws CommandError unless it is one, unedited, of this policy */
export async function readPlan(path: string, { file, policy }: LoadedPolicy): Promise<SavedPlan> {
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
  return result.plan;
}

export function otherOrganization(saved: SavedPlan, actual: string): CommandError {
  return new CommandError(
    'PlanOutdated',
    `The plan is for organization ${saved.organizationId}, the credentials are for ${actual}. ` +
      `Use credentials of ${saved.organizationId}, or make a new plan.`,
  );
}
