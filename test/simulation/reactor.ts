import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import { react } from '../../shared/app/events/event-handler.ts';
import type { Simulation } from './environment.ts';

/** The largest delay of an event, ms: CloudTrail's delay and EventBridge's retries. */
const LATEST_MS = 5 * 60_000;

/** The reactor function: a separate process for each delivery of an event. */
export class Reactor {
  readonly #simulation: Simulation;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** EventBridge delivers at least once, and CloudTrail is best effort. */
  receive(event: unknown): void {
    const { chance, time, calmed } = this.#simulation;
    if (!calmed && chance.happens(0.4)) return;
    const times = chance.happens(0.1) ? 2 : 1;
    for (let n = 0; n < times; n += 1) time.after(chance.skewed(100, LATEST_MS), () => this.#deliver(event, 2));
  }

  #deliver(event: unknown, again: number): void {
    const { policy } = this.#simulation;
    this.#simulation.invoke('reactor', async (process) => {
      try {
        const deps = process.deps(policy);
        const retry = process.retrying(DEFAULT_SETTINGS);
        const reaction = await react(
          {
            ...deps,
            readAccount: (id, organization) =>
              deps.cloud.readAccount(id, { ...organization, tags: policy.usesTags, retry }),
          },
          async () => policy.hash,
          event,
        );
        process.logger.info('reacted', { ...reaction });
      } catch (error) {
        // A store error is thrown, and EventBridge delivers the event again.
        if (again > 0) this.#simulation.time.after(60_000, () => this.#deliver(event, again - 1));
        throw error;
      }
    });
  }
}
