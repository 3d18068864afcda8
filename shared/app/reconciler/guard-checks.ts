import { closedText } from '../../domain/decision/assess-mismatch.ts';
import { type CompiledControls, haltedText } from '../../domain/decision/operator-controls.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import { requireInForce } from '../coordination/policy-in-force.ts';
import { useApproval } from '../guardrails/approvals.ts';
import { readGate } from '../guardrails/rollout-gate.ts';
import { caps } from './change-caps.ts';
import { type Asked, ChangeRefused, type Check, type CheckParts } from './guard.ts';
import { liveTags } from './live-tags.ts';

/** All checks before a mutating call (invariant 3), in this order. A new check is one more line. */
export function checksOf(parts: CheckParts): readonly Check[] {
  return [
    policyStillInForce(parts),
    controls(parts),
    openWindow(parts),
    runStopped(),
    rollout(parts),
    liveTags(parts),
    caps(parts),
    approval(parts),
  ];
}

/**
 * Another process may replace the policy while this call waits for the rate limiter. No check is needed before the claim, because the policy was checked
 * when work on the message began.
 */
function policyStillInForce({ deps: { registers }, policy }: CheckParts): Check {
  return {
    urgent: true,
    async ask({ stage }) {
      if (stage === 'call') await requireInForce(registers, policy.hash);
    },
  };
}

/**
 * The kill switch and suspensions, read from the store right before the call, so that a setting made by any process before that applies to it.
 * The organization-wide call reaches every account, so any suspension blocks it.
 */
function controls({ deps, controls: view }: CheckParts): Check {
  return {
    urgent: true,
    async ask({ accountIds, wide = false, stage }: Asked) {
      const now = deps.clock.now();
      // Before the claim a value up to a second old is enough: this check runs again right before the call.
      const set = await (stage === 'claim' ? view.recent() : view.now());
      if (set.halt !== null) throw new ChangeRefused('halted', haltedText(set.halt));
      const [one] = set.inForce(now);
      if (one === undefined) return;
      if (wide)
        throw new ChangeRefused(
          'suspendedByOperator',
          `${one.selector} is suspended, and the call would reach every account`,
        );
      const find = await accountFinder(deps, accountIds.length);
      for (const id of accountIds) requireNotSuspended(set, (await find(id)) ?? onlyId(id), now);
    },
  };
}

/** A batch has at most 50 accounts. Reading more than that one by one would outlast their claims. */
const MAX_SINGLE_READS = 50;

/** Looks up accounts in the snapshot; `null`: the snapshot lacks the account. @param accounts how many will be looked up */
async function accountFinder(
  { snapshots }: CheckParts['deps'],
  accounts: number,
): Promise<(id: AccountId) => Promise<OrganizationAccount | null>> {
  if (accounts <= MAX_SINGLE_READS) return (id) => snapshots.get(id);
  const known = new Map((await snapshots.load())?.accounts.map((account) => [account.id, account]));
  return async (id) => known.get(id) ?? null;
}

/** An account that the snapshot lacks can be suspended only by its id. */
function onlyId(id: AccountId): OrganizationAccount {
  return { id, name: '', ou: '', state: 'ACTIVE', management: false, tags: null };
}

function requireNotSuspended(set: CompiledControls, facts: OrganizationAccount, now: number): void {
  const suspension = set.suspensionOf(facts, now);
  if (suspension !== null) throw new ChangeRefused('suspendedByOperator', suspension.reason, suspension.until);
}

/** A call that is in progress when the window closes is finished; none starts after that. */
function openWindow({ deps: { clock }, policy: { windows } }: CheckParts): Check {
  return {
    urgent: true,
    async ask() {
      const now = clock.now();
      if (windows.isOpen(now)) return;
      const opensAt = windows.nextOpening(now);
      throw new ChangeRefused('window', closedText(opensAt), opensAt);
    },
  };
}

/** A run that a guardrail has stopped makes no further call, in any process. */
function runStopped(): Check {
  return {
    async ask({ run: { stopped } }) {
      if (stopped !== null) throw new ChangeRefused('guardrail', `the run was stopped: ${stopped.message}`);
    },
  };
}

/** While the gate of a rollout is closed, only canaries are changed. Once open, it stays open for the policy. */
function rollout({ deps, policy }: CheckParts): Check {
  let open = policy.policy.rollout === null;
  return {
    async ask({ accountIds }) {
      if (open) return;
      const gate = await readGate(deps.registers, policy);
      if (!gate.closed) {
        open = true;
        return;
      }
      const find = await accountFinder(deps, accountIds.length);
      for (const accountId of accountIds) {
        const known = await find(accountId);
        if (known === null || !policy.canDecide(known) || !policy.isCanary(known))
          throw new ChangeRefused('rollout', gate.message, gate.notBefore);
      }
    },
  };
}

/** Uses up an approval with the first mutating call of its run. A run that another check blocks before that has not used it. */
function approval({ deps: { registers, clock } }: CheckParts): Check {
  const used = new Set<string>();
  return {
    ask: async () => undefined,
    async passed({ run: { runId, planHash: bound, approvedUntil }, planHash, stage }) {
      if (stage !== 'call' || planHash === null || planHash !== bound) return;
      if (approvedUntil === null || used.has(runId)) return;
      await useApproval(registers, planHash, runId, clock.now());
      used.add(runId);
    },
  };
}
