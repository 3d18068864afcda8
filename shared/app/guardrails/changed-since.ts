import type { EpochMs, RuleMode } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { readTyped } from '../coordination/typed-register.ts';
import { OWN_CONFIGURATIONS, type OwnConfigurations } from './own-configurations.ts';

/**
 * The targets where somebody else has changed the configuration that Rollcall stored there after `since`. An approval from before that does not cover what
 * is there now.
 * @param stored a complete listing
 */
export async function changedSince(
  registers: Pick<Registers, 'read'>,
  { isOurs }: Pick<OwnConfigurations, 'isOurs'>,
  stored: ReadonlyMap<string, RuleMode>,
  since: EpochMs,
): Promise<ReadonlySet<string>> {
  const known = (await readTyped(registers, OWN_CONFIGURATIONS))?.value ?? {};
  const wasStored = (id: string): boolean => {
    const own = known[id];
    return own !== undefined && [own, ...own.earlier].some(({ accepted, at }) => accepted && at >= since);
  };
  return new Set([...stored].flatMap(([id, ruleMode]) => (!isOurs(id, ruleMode) && wasStored(id) ? [id] : [])));
}
