import { RunStore, type StoredPlan } from '../../shared/app/coordination/run-store.ts';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { halt, resume, suspend, unhalt } from '../../shared/app/guardrails/controls.ts';
import { resumeContested } from '../../shared/app/operator/resume-contested.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { type CompiledPolicy, type OperatorSelector, parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import type { Stage } from './environment.ts';
import type { Process } from './process.ts';

/** People who have a say. In calm weather only to set free what was stopped. */
export class Operators {
  readonly #stage: Stage;
  #commands = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** A command is running. */
  get busy(): boolean {
    return this.#commands > 0;
  }

  act(): void {
    const { chance, sandbox, caller, calmed } = this.#stage;
    const act = calmed
      ? chance.of(['unhalt', 'resume', 'approve'] as const)
      : chance.of(['halt', 'unhalt', 'suspend', 'resume', 'approve'] as const);
    const members = sandbox.accounts().filter(({ management }) => !management);
    const { accountId } = chance.any(members) ?? { accountId: caller.accountId };
    this.command(act, accountId);
  }

  /** @param accountId the account to suspend */
  command(act: 'halt' | 'unhalt' | 'suspend' | 'resume' | 'approve', accountId: AccountId): void {
    const { calmed, policy } = this.#stage;
    const { controls } = this.#stage.judge;
    this.#commands += 1;
    const command = async (process: Process): Promise<void> => {
      const { time, judge } = this.#stage;
      const deps = process.deps(policy);
      switch (act) {
        case 'halt':
          await halt(deps, 'incident');
          controls.haltedAt ??= time.now();
          return;
        case 'unhalt':
          controls.haltedAt = null;
          await unhalt(deps);
          return;
        case 'suspend':
          await suspend(deps, { selector: selectorOf(accountId), until: null, reason: 'incident' });
          controls.onceSuspended.add(accountId);
          if (!controls.suspendedAt.has(accountId)) controls.suspendedAt.set(accountId, time.now());
          return;
        case 'resume':
          controls.suspendedAt.clear();
          await resumeContested(deps, selectorOf('all'));
          await resume(deps, selectorOf('all'));
          return;
        case 'approve': {
          const plans = await new RunStore(deps.registers).storedPlans('');
          const plan = calmed ? lastOf(plans, policy) : plans[0];
          if (plan === undefined) return;
          // From the moment on in which it is asked for: the answer may be lost and the approval stand.
          const approval = judge.approval(plan.keys);
          await approve(deps, plan.hash, { actor: 'operator', reason: null }).catch((error: unknown) => {
            if (error instanceof Error && error.name === 'ApprovalError') approval.refused();
            throw error;
          });
        }
      }
    };
    this.#stage.invoke(`operator ${act}`, command, () => {
      this.#commands -= 1;
    });
  }
}

/**
 * What was held up last under the policy in force. In the storm any plan is approved, also one that no longer can be; whoever went on like that
 * would never let through what waits for him, like the rest of a rollout whose canary has failed.
 */
function lastOf(plans: readonly StoredPlan[], { hash }: CompiledPolicy): StoredPlan | undefined {
  return plans.filter(({ policyHash }) => policyHash === hash).toSorted((a, b) => b.storedAt - a.storedAt)[0];
}

function selectorOf(text: string): OperatorSelector {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(`${text} is not a selector`);
  return parsed.selector;
}
