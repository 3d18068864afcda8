import type { EpochMs, RuleMode } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { isContested, OWN_CONFIGURATIONS } from './own-configurations.ts';

/** A configuration that somebody else has deleted repeatedly, so that Rollcall does not store it again. */
export interface ContestedConfiguration {
  readonly targetId: string;
  /** The path of the root or OU, or the account's id. */
  readonly target: string;
  readonly ruleMode: RuleMode;
}

export async function contestedConfigurations(
  registers: Pick<Registers, 'read'>,
  now: EpochMs,
): Promise<readonly ContestedConfiguration[]> {
  const known = Object.entries((await readTyped(registers, OWN_CONFIGURATIONS))?.value ?? {});
  return known.flatMap(([targetId, { target, ruleMode: stored, repeated }]) =>
    isContested(repeated, now) ? [{ targetId, target: target || targetId, ruleMode: stored }] : [],
  );
}

/** Lets Rollcall store these configurations again. Earlier deletions no longer count. */
export async function endContest(registers: Registers, targetIds: ReadonlySet<string>): Promise<void> {
  // `accepted: false`, because otherwise the next call would count as a response to another deletion.
  const ended = { repeated: [], accepted: false };
  await update(registers, OWN_CONFIGURATIONS, (current) =>
    Object.fromEntries(
      Object.entries(current ?? {}).map(([id, own]) => [id, targetIds.has(id) ? { ...own, ...ended } : own]),
    ),
  );
}
