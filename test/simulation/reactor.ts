import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import { react } from '../../shared/app/events/event-handler.ts';
import type { Stage } from './environment.ts';

/** How late an event may come, ms: CloudTrail's own delay, and what EventBridge tries again. */
const LATEST_MS = 5 * 60_000;

/** The reactor function: a process of its own for each delivery of an event. */
export class Reactor {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** EventBridge delivers at least once, and CloudTrail is best effort. */
  hears(event: unknown): void {
    const { chance, time, calmed } = this.#stage;
    if (!calmed && chance.happens(0.4)) return;
    const times = chance.happens(0.1) ? 2 : 1;
    for (let n = 0; n < times; n += 1) time.after(chance.skewed(100, LATEST_MS), () => this.#delivers(event, 2));
  }

  #delivers(event: unknown, again: number): void {
    const { policy } = this.#stage;
    this.#stage.invoke('reactor', async (process) => {
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
        // What a store could not do is thrown, and delivered again.
        if (again > 0) this.#stage.time.after(60_000, () => this.#delivers(event, again - 1));
        throw error;
      }
    });
  }
}
