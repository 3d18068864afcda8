import type { AccountId } from '../../../domain/enrollment/model.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import type { RunStore } from '../../coordination/run-store.ts';
import { type Asked, ChangeRefused, type Check } from './check.ts';

export { ChangeRefused } from './check.ts';

/** Asks every check right before each mutating call (invariant 3). Each sees the state as it is at that moment. */
export class Guard {
  readonly #runs: RunStore;
  readonly #checks: readonly Check[];

  constructor(runs: RunStore, checks: readonly Check[]) {
    this.#runs = runs;
    this.#checks = checks;
  }

  /**
   * @returns what asks the urgent checks once more: where all the others took long, the first answers are old by then.
   * @throws ChangeRefused if the change must not be made now.
   */
  async check(
    { runId, planHash }: Pick<WorkMessage, 'runId' | 'planHash'>,
    accountIds: readonly AccountId[],
    optOut: boolean,
    stage: Asked['stage'] = 'call',
    wide = false,
  ): Promise<() => Promise<void>> {
    const run = await this.#runs.get(runId);
    if (run === null)
      throw new ChangeRefused('guardrail', `run ${runId} is not known here; the next scan starts a new one`);
    const asked: Asked = { run, planHash, accountIds, optOut, stage, wide };
    for (const check of this.#checks) await check.ask(asked);
    for (const check of this.#checks) await check.passed?.(asked);
    return async () => {
      for (const check of this.#checks) if (check.urgent === true) await check.ask(asked);
    };
  }
}
