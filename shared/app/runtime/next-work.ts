import type { AccountRecord } from '../../domain/account/record.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Deps, Progress, RunContext, WaitCause } from '../context.ts';
import { readRollout } from '../guardrails/rollout-gate.ts';
import { workKey } from '../plan/planned-work.ts';

/** When a run without work goes on, and what it waits for. */
export interface Wait {
  /** Epoch ms. */
  readonly until: EpochMs;
  readonly cause: WaitCause;
}

/** The wait for messages that another process has received. */
export const otherProcess = (messages: number, until: EpochMs): Wait => ({
  until,
  cause: { kind: 'otherProcess', messages },
});

/** The next work that is due within `waitMs`; `null`: none. @param unconfirmedBy see {@link UnconfirmedKeys.dueBy} */
export async function nextWork(
  deps: Pick<Deps, 'records' | 'registers' | 'clock'>,
  run: RunContext,
  unconfirmedBy: EpochMs | null,
  waitMs: number,
): Promise<Wait | null> {
  const end = deps.clock.now() + waitMs;
  const [due] = await deps.records.due(end, 1);
  const gate = await gateOpening(deps, run, end);
  const waits: Wait[] = [
    ...(due === undefined ? [] : [{ until: due.wakeAt, cause: causeOf(due.record, due.wakeAt) }]),
    ...(unconfirmedBy === null ? [] : [{ until: unconfirmedBy, cause: { kind: 'confirmation' } as const }]),
    ...(gate === null ? [] : [{ until: gate, cause: { kind: 'rollout' } as const }]),
  ];
  return waits.sort((a, b) => a.until - b.until)[0] ?? null;
}

/** Why an account is due at a time. */
function causeOf({ accountId, conditions }: AccountRecord, at: EpochMs): WaitCause {
  const all = ENROLLMENT_IDS.flatMap((id) => conditions[id] ?? []);
  const isClaimed = all.some(({ claim }) => claim !== null && Date.parse(claim.expiresAt) <= at);
  if (isClaimed) return { kind: 'claim', accountId };
  return { kind: all.some(({ verdict }) => verdict === 'Converging') ? 'confirmation' : 'delay' };
}

/** The index of due accounts lags by at most this, ms. */
const INDEX_LAG_MS = 1_500;

/** The keys whose changes this process has made or polled, and has not seen confirmed. */
export class UnconfirmedKeys {
  readonly #deps: Pick<Deps, 'clock'>;
  readonly #keys = new Set<string>();
  #notedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: Pick<Deps, 'clock'>) {
    this.#deps = deps;
  }

  note(progress: Progress): void {
    if (progress.kind !== 'worked') return;
    this.#notedAt = this.#deps.clock.now();
    if (progress.outcome === 'converging') this.#keys.add(workKey(progress.accountId, progress.enrollment));
    else this.#keys.delete(workKey(progress.accountId, progress.enrollment));
  }

  /** Until when one may become due without notice, epoch ms, because the index lags; `null`: none. */
  get dueBy(): number | null {
    const shownAt = this.#notedAt + INDEX_LAG_MS;
    return this.#keys.size > 0 && shownAt > this.#deps.clock.now() ? shownAt : null;
  }
}

/** When the rollout gate of the run's policy opens, if it does so by `end`; otherwise `null`. */
async function gateOpening(
  { registers }: Pick<Deps, 'registers'>,
  { policy }: RunContext,
  end: number,
): Promise<number | null> {
  if (policy.policy.rollout === null) return null;
  const state = (await readRollout(registers))?.value ?? null;
  const opensAt = state?.policyHash === policy.hash ? state.opensAt : null;
  return opensAt !== null && opensAt <= end ? opensAt : null;
}
