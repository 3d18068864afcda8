import type { WorkMessage } from '../../../domain/work-message.ts';
import type { RunStore } from '../../coordination/run-store.ts';
import { type Asked, ChangeRefused, type Check } from './check.ts';

export { ChangeRefused } from './check.ts';

/** Runs every check right before each mutating call (invariant 3), each on the state at that moment. */
export class Guard {
  readonly #runs: RunStore;
  readonly #checks: readonly Check[];

  constructor(runs: RunStore, checks: readonly Check[]) {
    this.#runs = runs;
    this.#checks = checks;
  }

  /**
   * @returns a function that repeats only the urgent checks. Call it if the first answers are too old when the request is about to leave.
   * @throws ChangeRefused if the change must not be made now.
   */
  async check(
    { runId, planHash }: Pick<WorkMessage, 'runId' | 'planHash'>,
    change: Omit<Asked, 'run' | 'planHash'>,
  ): Promise<() => Promise<void>> {
    const run = await this.#runs.get(runId);
    if (run === null)
      throw new ChangeRefused('guardrail', `run ${runId} is unknown to this store; the next scan starts a new run`);
    const asked: Asked = { run, planHash, ...change };
    for (const check of this.#checks) await check.ask(asked);
    for (const check of this.#checks) await check.passed?.(asked);
    return async () => {
      for (const check of this.#checks) if (check.urgent === true) await check.ask(asked);
    };
  }
}
