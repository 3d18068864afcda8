import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { capOf } from '../../shared/domain/decision/guardrails.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';

const DAY = 24 * 60 * 60 * 1000;

export interface Touch {
  readonly at: number;
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
  readonly optOut: boolean;
  /** When the scan was begun whose run the call's intent belongs to. */
  readonly runBegan: number | null;
}

interface Approval {
  readonly at: number;
  /** What was approved: account and enrollment. */
  readonly keys: ReadonlySet<string>;
  /** When a run first went past the cap on its account: no run that is begun later may. */
  usedAt: number | null;
}

/** Counts changed accounts as the caps do: distinct accounts in any 24 hours, whatever run they belong to. */
export class CapsJudge {
  readonly #sandbox: Sandbox;
  readonly #touches: Touch[] = [];
  readonly #approvals = new Set<Approval>();

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** An operator lets a plan through. */
  approve(planKeys: readonly string[], at: number): { refused(): void } {
    const keys = new Set(planKeys.map((key) => key.split(' ').slice(0, 2).join(' ')));
    const approval: Approval = { at, keys, usedAt: null };
    this.#approvals.add(approval);
    return { refused: () => void this.#approvals.delete(approval) };
  }

  /** @returns what a change that is made now goes past: the invariant, and in words */
  touched(touch: Touch, { policy: { guardrails } }: CompiledPolicy): readonly (readonly [number, string])[] {
    const recent = this.#touches.filter(({ at }) => at > touch.at - DAY);
    this.#touches.push(touch);
    // Those that have left since were in scope when they were changed.
    const scope = new Set([...this.#sandbox.accounts(), ...recent].map(({ accountId }) => accountId)).size;
    const past: [number, string][] = [];
    const optedOut = countWith(
      recent.filter(({ optOut }) => optOut),
      touch,
    );
    const maxOptOuts = capOf(guardrails.maxOptOuts, scope);
    if (touch.optOut && optedOut > maxOptOuts)
      past.push([8, `${optedOut} accounts were opted out in 24 hours, maxOptOuts allows ${maxOptOuts}`]);
    const changed = countWith(recent, touch);
    const maxChanges = capOf(guardrails.maxChanges, scope);
    const news = !recent.some(({ accountId }) => accountId === touch.accountId);
    if (news && changed > maxChanges && !this.#isApproved(touch))
      past.push([3, `${changed} accounts were changed in 24 hours, maxChanges allows ${maxChanges}`]);
    return past;
  }

  #isApproved({ accountId, enrollment, runBegan, at }: Touch): boolean {
    const fitting = [...this.#approvals].filter(
      (approval) =>
        approval.keys.has(`${accountId} ${enrollment}`) &&
        at < approval.at + DAY + 60_000 &&
        (approval.usedAt === null || (runBegan ?? at) <= approval.usedAt),
    );
    // One that is in use already, before another is begun.
    const approval = fitting.find(({ usedAt }) => usedAt !== null) ?? fitting[0];
    if (approval === undefined) return false;
    approval.usedAt ??= at;
    return true;
  }
}

function countWith(touches: readonly Touch[], { accountId }: Touch): number {
  return new Set([...touches.map((touch) => touch.accountId), accountId]).size;
}
