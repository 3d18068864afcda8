import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { ReasonCode } from '../../domain/enrollment/reason-codes.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Clock } from '../../ports/system.ts';
import type { Deps } from '../context.ts';
import type { RunState, RunStore } from '../coordination/run-store.ts';
import type { ControlsView } from '../guardrails/controls.ts';

/** The mutating call must not be made now. */
export class ChangeRefused extends Error {
  override readonly name = 'ChangeRefused';
  readonly reason: ReasonCode;
  /** When the call may be made, if that is known. The account is then reconciled again without a scan. */
  readonly notBefore: EpochMs | null;

  constructor(reason: ReasonCode, message: string, notBefore: EpochMs | null = null) {
    super(message);
    this.reason = reason;
    this.notBefore = notBefore;
  }
}

/** A call that the guard may refuse. */
export interface Asked {
  readonly run: RunState;
  /** The plan that the key belongs to. `null` for a change that an event led to: it counts towards the last run, but is not in its plan. */
  readonly planHash: string | null;
  readonly accountIds: readonly AccountId[];
  readonly optOut: boolean;
  /** The accounts that the call opts out, if it does not opt out all of `accountIds`. */
  readonly optOutIds?: ReadonlySet<AccountId>;
  /** `claim`: nothing is written yet. `call`: the intents are durable, and the request leaves as soon as every check has passed. */
  readonly stage: 'claim' | 'call';
  /** Whether this is the organization-wide call, which changes every account, not only `accountIds`. */
  readonly wide?: boolean;
  /** The assessments of the accounts on which the call is based. */
  readonly assessments?: readonly Assessment[];
  /** In stage `call`: the hash of the approved plan that the intents name; `null` or absent: they name none. */
  readonly claimedUnder?: string | null;
}

/**
 * The hash of the plan under which a change may exceed `maxChanges`; `null`: the cap holds. A saved plan or an approval lifts the cap for the changes of
 * that plan. An approval does so for 24 hours.
 */
export function liftingPlan({ run, planHash }: Pick<Asked, 'run' | 'planHash'>, now: EpochMs): string | null {
  const { planHash: bound, approvedUntil } = run;
  if (bound === null || planHash !== bound) return null;
  return approvedUntil === null || now < approvedUntil ? bound : null;
}

/** The guard's answer if a change may be made. */
export interface Permission {
  /** The approved plan that the change belongs to, so that it does not count against `maxChanges`; `null`: it counts. */
  readonly approvedPlan: string | null;
  /** Repeats only the urgent checks. Call this if the answers are too old when the request is about to be sent. @throws ChangeRefused */
  readonly repeatUrgent: () => Promise<void>;
}

/** The accounts that the call opts out. */
export function optOutsOf({ accountIds, optOut, optOutIds }: Asked): readonly AccountId[] {
  if (!optOut) return [];
  return optOutIds === undefined ? accountIds : accountIds.filter((id) => optOutIds.has(id));
}

/** One reason to refuse a mutating call. Checks are independent of each other and run in the order of the list. */
export interface Check {
  /** Marks a check of an operator's command or of the time of day. It is cheap, and is repeated if the other checks took long. */
  readonly urgent?: true;
  /** @throws ChangeRefused; OutdatedPolicyError if the process must make no call at all */
  ask(asked: Asked): Promise<void>;
  /** Called when every check has passed. */
  passed?(asked: Asked): void | Promise<void>;
}

/** The dependencies of the checks, created once per process. */
export interface CheckParts {
  readonly deps: Pick<
    Deps,
    'cloud' | 'ledger' | 'registers' | 'snapshots' | 'records' | 'clock' | 'random' | 'newId' | 'actor'
  >;
  readonly runs: RunStore;
  readonly policy: CompiledPolicy;
  readonly controls: ControlsView;
}

/** Runs every check right before each mutating call (invariant 3), each on the state at that moment. */
export class Guard {
  readonly #runs: RunStore;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #checks: readonly Check[];

  constructor({ runs, deps: { clock } }: Pick<CheckParts, 'runs' | 'deps'>, checks: readonly Check[]) {
    this.#runs = runs;
    this.#clock = clock;
    this.#checks = checks;
  }

  /** @throws ChangeRefused if the change must not be made now; OutdatedPolicyError if the process must make no call at all */
  async check(
    { runId, planHash }: Pick<WorkMessage, 'runId' | 'planHash'>,
    change: Omit<Asked, 'run' | 'planHash'>,
  ): Promise<Permission> {
    const run = await this.#runs.get(runId);
    if (run === null)
      throw new ChangeRefused('guardrail', `run ${runId} is unknown to this store; the next scan starts a new run`);
    const asked: Asked = { run, planHash, ...change };
    const approvedPlan = liftingPlan(asked, this.#clock.now());
    for (const check of this.#checks) await check.ask(asked);
    for (const check of this.#checks) await check.passed?.(asked);
    const repeatUrgent = async (): Promise<void> => {
      for (const check of this.#checks) if (check.urgent === true) await check.ask(asked);
    };
    return { approvedPlan, repeatUrgent };
  }
}

/**
 * If the guard's answers are older than this when the request leaves, the urgent checks run again, ms: an operator's command takes effect within a
 * second.
 */
const FRESH_MS = 1_000;

/**
 * Runs the checks. If a slow store makes their answers old, repeats the urgent checks until those answers are fresh.
 * @param requireTime throws if no time is left to wait for answers
 */
export async function checkUntilFresh(
  clock: Clock,
  check: () => Promise<Permission>,
  requireTime: () => void = () => undefined,
): Promise<void> {
  requireTime();
  let began = clock.now();
  const { repeatUrgent } = await check();
  for (;;) {
    requireTime();
    if (clock.now() - began <= FRESH_MS) return;
    began = clock.now();
    await repeatUrgent();
  }
}
