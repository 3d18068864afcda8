import type { Plan } from '../../../shared/app/plan/plan.ts';
import type { HaltView } from '../../../shared/app/queries/enforcement-view.ts';
import type { CompiledPolicy } from '../../../shared/domain/policy/index.ts';
import type { Output } from './output.ts';

/** A plan, and what its text depends on besides the plan. */
export interface ShownPlan extends Omit<Plan, 'snapshot'> {
  readonly policy: CompiledPolicy;
  /** The policy's file. */
  readonly file: string;
  /** The command by which the user runs Rollcall. */
  readonly program: string;
  /** The option that repeats the policy in a suggested command, with a space before it; empty: none is needed. */
  readonly policyFlag: string;
  readonly halted: HaltView;
  /** The file that the plan was saved in. */
  readonly savedAs: string | null;
}

export interface PlanTextOptions extends Pick<Output, 'style' | 'width' | 'layoutWidth'> {
  /** Lists every account, not only totals by OU. */
  readonly list: boolean;
  /** Epoch ms. */
  readonly now: number;
}

export interface PlanLayout extends PlanTextOptions {
  /** The widths of names and OUs in all lists of the plan, so that these are aligned. */
  readonly nameWidth: number;
  readonly ouWidth: number;
}
