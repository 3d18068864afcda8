import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { capOf } from '../../shared/domain/decision/guardrails.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { Simulation } from './environment.ts';

const DAY = 24 * 60 * 60 * 1000;

export interface Touch {
  readonly at: number;
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly optOut: boolean;
  /** When the scan of the intent's run started. */
  readonly runStartedAt: number | null;
  /** When the process that makes the call started. */
  readonly processStartedAt: number;
}

interface Approval {
  readonly planHash: string;
  readonly at: number;
  /** The approved keys: account and enrollment. */
  readonly keys: ReadonlySet<string>;
  /** When a run first made a change with this approval. No run that starts later may use it. */
  usedAt: number | null;
}

/**
 * Counts changed accounts as the caps do: distinct accounts in any 24 hours, across runs. A change whose intent names an approved plan does not count
 * against `maxChanges` if an operator has approved exactly this change.
 */
export class CapsChecker {
  readonly #sandbox: Sandbox;
  readonly #reached: Simulation['reached'];
  readonly #touches: (Touch & { readonly approved: boolean })[] = [];
  readonly #approvals = new Set<Approval>();

  constructor(sandbox: Sandbox, reached: Simulation['reached']) {
    this.#sandbox = sandbox;
    this.#reached = reached;
  }

  /** An operator approves a plan. */
  approve(planHash: string, planKeys: readonly string[], at: number): { refused(): void } {
    const keys = new Set(planKeys.map((key) => key.split(' ').slice(0, 2).join(' ')));
    const approval: Approval = { planHash, at, keys, usedAt: null };
    this.#approvals.add(approval);
    return { refused: () => void this.#approvals.delete(approval) };
  }

  /**
   * @param intent may name an approved plan, so that the change does not count against `maxChanges`
   * @returns the caps that this change exceeds: invariant and description
   */
  touched(
    touch: Touch,
    intent: Pick<LedgerEntry, 'detail'> | null,
    { policy: { guardrails } }: CompiledPolicy,
  ): readonly (readonly [number, string])[] {
    const recent = this.#touches.filter(({ at }) => at > touch.at - DAY);
    const plan = intent?.detail?.approvedPlan ?? null;
    const approved = plan !== null && this.#isApproved(touch, plan);
    this.#touches.push({ ...touch, approved });
    // Accounts that have left since were in scope when they were changed.
    const scope = new Set([...this.#sandbox.accounts(), ...recent].map(({ accountId }) => accountId)).size;
    const past: [number, string][] = [];
    const optedOut = countWith(
      recent.filter(({ optOut }) => optOut),
      touch,
    );
    const maxOptOuts = capOf(guardrails.maxOptOuts, scope);
    if (touch.optOut && optedOut > maxOptOuts)
      past.push([8, `${optedOut} accounts were opted out in 24 hours, maxOptOuts allows ${maxOptOuts}`]);
    if (plan !== null && !approved)
      past.push([3, `${touch.accountId} was changed as part of the approved plan ${plan}, which does not allow it`]);
    const counted = recent.filter((each) => !each.approved);
    const changed = countWith(counted, touch);
    const maxChanges = capOf(guardrails.maxChanges, scope);
    if (counted.some(({ accountId }) => accountId === touch.accountId) || changed <= maxChanges) return past;
    // An earlier version does not name the plan, so its changes count.
    if (approved || (plan === null && this.#isApproved(touch, null)))
      this.#reached('change beyond maxChanges under an approval');
    else past.push([3, `${changed} accounts were changed in 24 hours, maxChanges allows ${maxChanges}`]);
    return past;
  }

  /** @param planHash `null`: any approval may cover the change */
  #isApproved({ accountId, enrollment, runStartedAt, processStartedAt, at }: Touch, planHash: string | null): boolean {
    const fitting = [...this.#approvals].filter(
      (approval) =>
        (planHash === null || approval.planHash === planHash) &&
        approval.keys.has(`${accountId} ${enrollment}`) &&
        at < approval.at + DAY + 60_000 &&
        (approval.usedAt === null || (runStartedAt ?? at) <= approval.usedAt),
    );
    // Prefer an approval that is already in use.
    const approval = fitting.find(({ usedAt }) => usedAt !== null) ?? fitting[0];
    if (approval === undefined) return false;
    if (approval.usedAt !== null && processStartedAt > approval.usedAt) this.#reached('approval used after a restart');
    approval.usedAt ??= at;
    return true;
  }
}

function countWith(touches: readonly Touch[], { accountId }: Touch): number {
  return new Set([...touches.map((touch) => touch.accountId), accountId]).size;
}
