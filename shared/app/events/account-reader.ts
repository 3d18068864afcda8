import { compileControls } from '../../domain/decision/operator-controls.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Deps } from '../context.ts';
import { readControls } from '../guardrails/controls.ts';
import { createRetryingUntil } from '../support/retry.ts';
import type { ReactDeps } from './event-handler.ts';

/**
 * Reads single accounts because of one event. Their tags as well where the policy or an operator's suspension asks about tags: an account
 * whose tags are not known counts as suspended wherever tags decide.
 * @param until when whoever waits for the event's reaction has no patience left: repeated questions end by then.
 */
export function accountReader(
  { cloud, registers, clock, random }: Pick<Deps, 'cloud' | 'registers' | 'clock' | 'random'>,
  policy: Pick<CompiledPolicy, 'usesTags'>,
  until: EpochMs,
): ReactDeps['readAccount'] {
  const retry = createRetryingUntil(clock, random, until);
  return async (accountId, organization) => {
    const tags = policy.usesTags || compileControls(await readControls(registers)).usesTags;
    return cloud.readAccount(accountId, { ...organization, tags, retry });
  };
}
