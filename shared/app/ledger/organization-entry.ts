import { accountEntry, type EntryContext } from '../../domain/account/transition.ts';
import { type EntryDraft, ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import type { Deps, RunContext } from '../context.ts';

type ContextDeps = Pick<Deps, 'newId' | 'clock' | 'actor'>;

/** The context of entries that a run writes; its random numbers spread the pauses after failures. */
export function entryContext(deps: ContextDeps & Pick<Deps, 'random'>, run: RunContext): EntryContext {
  return { ...commandContext(deps, { runId: run.runId, policyHash: run.policy.hash }), random: deps.random };
}

/** The context of entries that an operator, an event or a maintenance task writes. */
export function commandContext(
  { newId, clock, actor }: ContextDeps,
  { runId = null, policyHash = null }: Partial<Pick<EntryContext, 'runId' | 'policyHash'>> = {},
): EntryContext {
  return { newId, now: clock.now(), actor, runId, policyHash };
}

/** An entry about the organization as a whole. */
export function organizationEntry(
  context: EntryContext,
  type: EntryDraft['type'],
  rest: Partial<Pick<EntryDraft, 'reason' | 'api' | 'detail'>>,
): EntryDraft {
  return { ...accountEntry(context, type, ORGANIZATION_CHAIN, null, rest), accountId: null };
}
