import { accountReader } from '../../../shared/app/events/account-reader.ts';
import { react } from '../../../shared/app/events/event-handler.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import type { AccountTruth } from '../../sandbox/engine/accounts.ts';
import type { Sandbox } from '../../sandbox/engine/sandbox.ts';
import type { LoadedPolicy } from '../session.ts';

/** The kinds that people of the story disable. */
export type Disabled = 'computeOptimizer' | 'automation';

/** What a beat of the story acts on: the simulated organization, and the app that keeps it compliant. */
export interface Stage {
  readonly sandbox: Sandbox;
  readonly app: Runtime;
  readonly inForce: LoadedPolicy;
  readonly say: (text: string) => void;
  /** During the change freeze, only accounts that count towards the cap already can be changed. */
  readonly frozen: boolean;
  /** Called with each account that has drifted. */
  readonly drifted: (accountId: string, enrollment: Disabled) => void;
}

/** A part of the story that repeats. It keeps its own state, so it continues after the policy has changed. */
export interface Beat {
  /** @returns how long to wait before it plays again, ms */
  play(stage: Stage): Promise<number>;
}

/** How long reads of an account that an event names are retried, ms. */
const READ_MS = 10_000;

/** Changes enrollments as `actor` would, without an event. @returns the CloudTrail events, which the caller delivers */
export function optOut(
  { sandbox, drifted }: Pick<Stage, 'sandbox' | 'drifted'>,
  accountIds: readonly string[],
  enrollment: Disabled,
  actor: (accountId: string) => string,
): readonly unknown[] {
  const before = sandbox.trail().length;
  for (const accountId of accountIds) {
    sandbox.drift({ changes: [{ accountId, enrollment, status: 'Inactive' }], actor: actor(accountId) });
    drifted(accountId, enrollment);
  }
  return sandbox.trail().slice(before);
}

/** Delivers CloudTrail events, as EventBridge would. */
export async function deliver({ app, inForce }: Stage, events: readonly unknown[]): Promise<void> {
  const { deps } = app;
  const readAccount = accountReader(deps, inForce.policy, deps.clock.now() + READ_MS);
  for (const event of events) await react({ ...deps, readAccount }, async () => inForce.policy.hash, event);
}

/** The present state of an account; `undefined`: it has left the organization. */
export function truthOf({ sandbox }: Pick<Stage, 'sandbox'>, accountId: string): AccountTruth | undefined {
  return sandbox.accounts(accountId)[0];
}

export const isActive = (stage: Pick<Stage, 'sandbox'>, accountId: string, enrollment: Disabled): boolean =>
  truthOf(stage, accountId)?.[enrollment].status === 'Active';

/** The name by which people know an actor: the last part of the ARN. */
export const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

/** How an account is shown in the story: `name (id)`. */
export const shown = ({ name, accountId }: Pick<AccountTruth, 'name' | 'accountId'>): string =>
  `${name} (${accountId})`;
