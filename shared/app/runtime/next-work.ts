import type { AccountRecord } from '../../domain/account/record.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Deps, Progress, RunContext, WaitCause } from '../context.ts';
import { readRollout } from '../guardrails/rollout-gate.ts';
import { workKey } from '../plan/planned-work.ts';

/** What a run without work waits for, and when it continues at the latest. */
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

/** What a run waits for if the next work is this account's. */
function causeOf({ accountId, conditions }: AccountRecord, at: EpochMs): WaitCause {
  const all = ENROLLMENT_IDS.flatMap((id) => conditions[id] ?? []);
  const isClaimed = all.some(({ claim }) => claim !== null && Date.parse(claim.expiresAt) <= at);
  if (isClaimed) return { kind: 'claim', accountId };
  return { kind: all.some(({ verdict }) => verdict === 'Converging') ? 'confirmation' : 'delay' };
}

/** Maximum lag of the index of due accounts, ms. */
const INDEX_LAG_MS = 1_500;

/** The keys whose changes this process has made or polled, but AWS has not confirmed yet. */
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

  /** The time until which a key may be due although the lagging index does not show it yet, epoch ms; `null`: no key can be. */
  get dueBy(): number | null {
    const shownAt = this.#notedAt + INDEX_LAG_MS;
    return this.#keys.size > 0 && shownAt > this.#deps.clock.now() ? shownAt : null;
  }
}

/** When the rollout gate of the run's policy opens; `null`: not by `end`. */
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
