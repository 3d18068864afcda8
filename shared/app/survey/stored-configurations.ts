import type { EpochMs, OrganizationalUnit, RuleMode } from '../../domain/enrollment/model.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Deps } from '../context.ts';
import type { Retrying } from '../support/retry.ts';

/** The OU tree and the organization enrollment configurations that AWS stores now. */
export interface StoredConfigurations {
  readonly units: readonly OrganizationalUnit[];
  /** When reading began, epoch ms. */
  readonly readAt: EpochMs;
  /** By the id of the root, OU or account. */
  readonly stored: ReadonlyMap<string, RuleMode>;
  /** Why no configuration can be changed now, in one sentence without a full stop; `null`: they can. */
  readonly problem: string | null;
}

/** A tree or listing that cannot be read completely allows no call. @throws CloudError if AWS rejects the credentials */
export async function readConfigurations(
  { cloud, clock, logger }: Pick<Deps, 'cloud' | 'clock' | 'logger'>,
  retry: Retrying,
): Promise<StoredConfigurations> {
  const readAt = clock.now();
  try {
    const units = await cloud.readUnits({ retry });
    const found = await cloud.configurations.list({ retry });
    const unknown = found.find(({ ruleMode }) => ruleMode === null);
    const stored = new Map(found.flatMap(({ target, ruleMode }) => (ruleMode === null ? [] : [[target.id, ruleMode]])));
    const problem =
      unknown === undefined
        ? null
        : `the configuration of ${unknown.target.id} has a rule mode that this version does not know`;
    return { units, readAt, stored, problem };
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    logger.warn('the configurations could not be read', { code: error.details.code, message: error.message });
    return { units: [], readAt, stored: new Map(), problem: `the configurations could not be read: ${error.message}` };
  }
}
