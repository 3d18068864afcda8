import { compileControls } from '../../domain/decision/operator-controls.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Cloud } from '../../ports/cloud.ts';
import type { Deps } from '../context.ts';
import { readControls } from '../guardrails/controls.ts';
import { createRetryingUntil } from '../support/retry.ts';
import type { ReactDeps } from './event-handler.ts';

/**
 * Reads single accounts for an event, with their tags if the policy or a suspension uses tags.
 * @param until the deadline for retries, epoch ms
 */
export function accountReader(
  {
    cloud,
    registers,
    clock,
    random,
  }: Pick<Deps, 'registers' | 'clock' | 'random'> & { readonly cloud: Pick<Cloud, 'readAccount'> },
  policy: Pick<CompiledPolicy, 'usesTags'>,
  until: EpochMs,
): ReactDeps['readAccount'] {
  const retry = createRetryingUntil(clock, random, until);
  return async (accountId, organization) => {
    const tags = policy.usesTags || compileControls(await readControls(registers)).usesTags;
    return cloud.readAccount(accountId, { ...organization, tags, retry });
  };
}
