import { accountEntry, type EntryContext } from '../../domain/account/transition.ts';
import type { EntryDraft } from '../../domain/ledger/entry.ts';
import { ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import type { Deps, RunContext } from '../context.ts';

export function entryContext(deps: Deps, run: RunContext): EntryContext {
  const { newId, clock, actor, random } = deps;
  return { newId, now: clock.now(), actor, runId: run.runId, policyHash: run.policy.hash, random };
}

/** An entry about the organization as a whole. */
export function organizationEntry(
  deps: Deps,
  run: RunContext,
  type: EntryDraft['type'],
  rest: Partial<Pick<EntryDraft, 'reason' | 'detail'>>,
): EntryDraft {
  const draft = accountEntry(entryContext(deps, run), type, ORGANIZATION_CHAIN, null, rest);
  return { ...draft, accountId: null };
}
