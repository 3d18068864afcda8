import type { AccountId, EpochMs } from '../../../domain/enrollment/model.ts';
import type { ReasonCode } from '../../../domain/enrollment/verdict.ts';
import type { CompiledPolicy } from '../../../domain/policy/index.ts';
import type { Deps } from '../../context.ts';
import type { RunState, RunStore } from '../../coordination/run-store.ts';
import type { ControlsView } from '../../guardrails/controls.ts';

/** Thrown right before a mutating call that must not be made now. The call is not made. */
export class ChangeRefused extends Error {
  override readonly name = 'ChangeRefused';
  readonly reason: ReasonCode;
  /** When the call may be made, as far as that is known: the account is looked at again then, without a scan. */
  readonly notBefore: EpochMs | null;

  constructor(reason: ReasonCode, message: string, notBefore: EpochMs | null = null) {
    super(message);
    this.reason = reason;
    this.notBefore = notBefore;
  }
}

/** The call in question. */
export interface Asked {
  readonly run: RunState;
  /** The plan that the key is bound to. A change that an event brought counts as the last run's and is none of that run's plan: `null`. */
  readonly planHash: string | null;
  readonly accountIds: readonly AccountId[];
  readonly optOut: boolean;
  /**
   * `claim`: before anything is written about it. `call`: the intents are durable and the request leaves as soon as every check has passed.
   */
  readonly stage: 'claim' | 'call';
  /** The organization-wide call: it touches every account, not only those that it is made for. */
  readonly wide?: boolean;
}

/** One reason for which a mutating call may have to be left. Checks know nothing of each other; their order is that of the list. */
export interface Check {
  /** An operator's word or the time of day: cheap to ask, and asked again where the others took long. */
  readonly urgent?: true;
  /** @throws ChangeRefused */
  ask(asked: Asked): Promise<void>;
  /** Every check has let the call pass. */
  passed?(asked: Asked): void | Promise<void>;
}

/** What checks are made from, once a process. */
export interface CheckParts {
  readonly deps: Pick<Deps, 'ledger' | 'registers' | 'snapshots' | 'records' | 'clock' | 'newId' | 'actor'>;
  readonly runs: RunStore;
  readonly policy: CompiledPolicy;
  readonly controls: ControlsView;
}
