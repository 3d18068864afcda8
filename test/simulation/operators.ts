import { RunStore, type StoredPlan } from '../../shared/app/coordination/run-store.ts';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { halt, resume, suspend, unhalt } from '../../shared/app/guardrails/controls.ts';
import { resumeContested } from '../../shared/app/operator/resume-contested.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { type CompiledPolicy, type OperatorSelector, parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import type { Simulation } from './environment.ts';
import type { Process } from './process.ts';

/** Operators. In the calm phase they only release what was stopped. */
export class Operators {
  readonly #simulation: Simulation;
  #commands = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    const { checker, stores } = simulation;
    stores.inside.onRegister = (name, value) => checker.controls.order.stored(name, value);
  }

  /** A command is running. */
  get busy(): boolean {
    return this.#commands > 0;
  }

  act(): void {
    const { chance, sandbox, caller, calmed } = this.#simulation;
    const act = calmed
      ? chance.of(['unhalt', 'resume', 'approve'] as const)
      : chance.of(['halt', 'unhalt', 'suspend', 'resume', 'approve'] as const);
    const members = sandbox.accounts().filter(({ management }) => !management);
    const { accountId } = chance.any(members) ?? { accountId: caller.accountId };
    this.command(act, accountId);
  }

  /** @param accountId the account to suspend */
  command(act: 'halt' | 'unhalt' | 'suspend' | 'resume' | 'approve', accountId: AccountId): void {
    const { calmed, policy } = this.#simulation;
    const { controls } = this.#simulation.checker;
    this.#commands += 1;
    const command = async (process: Process): Promise<void> => {
      const { time, checker } = this.#simulation;
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
          // The approval counts from its request, because only the response may be lost.
          const approval = checker.approval(plan);
          await approve(deps, plan.hash, { actor: 'operator', reason: null }).catch((error: unknown) => {
            if (error instanceof Error && error.name === 'ApprovalError') approval.refused();
            throw error;
          });
        }
      }
    };
    this.#simulation.invoke(`operator ${act}`, command, () => {
      this.#commands -= 1;
    });
  }
}

/**
 * The latest plan under the policy in force. In the storm any plan is approved, even an outdated one. In the calm phase that would never
 * release waiting changes, such as the rest of a rollout whose canary has failed.
 */
function lastOf(plans: readonly StoredPlan[], { hash }: CompiledPolicy): StoredPlan | undefined {
  return plans.filter(({ policyHash }) => policyHash === hash).toSorted((a, b) => b.storedAt - a.storedAt)[0];
}

function selectorOf(text: string): OperatorSelector {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(`${text} is not a selector`);
  return parsed.selector;
}
