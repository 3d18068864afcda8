import type { Checkpointing } from './checkpointing.ts';
import { type CheckpointDeps, CheckpointPublisher } from './checkpoints.ts';
import { Sequencer } from './sequencer.ts';

export interface LogRunLimits {
  /** No further step begins after this time, epoch ms. */
  readonly until: number;
  /** The process ends after this run. */
  readonly last: boolean;
  /** See `SequencerLimits`; the last run of a process has no such limit. */
  readonly appendMs?: number;
}

/** Maintains the transparency log: appends new entries, and publishes a checkpoint when one is due. */
export class TransparencyLog {
  readonly #deps: CheckpointDeps;
  readonly #sequencer: Sequencer;
  readonly #publisher: CheckpointPublisher;
  readonly #indexLagMs: number;

  /** @param indexLagMs how long an entry may be missing from the indexes of the audit log */
  constructor(deps: CheckpointDeps, indexLagMs: number) {
    this.#deps = deps;
    this.#sequencer = new Sequencer(deps);
    this.#publisher = new CheckpointPublisher(deps);
    this.#indexLagMs = indexLagMs;
  }

  /** @returns whether there was nothing to do */
  async run(
    checkpointing: () => Promise<Checkpointing>,
    { until, last, appendMs }: LogRunLimits,
  ): Promise<{ idle: boolean }> {
    // The last checkpoint of a process covers everything that the process has written.
    if (last && this.#indexLagMs > 0) await this.#deps.clock.sleep(this.#indexLagMs);
    const { log, complete, grown } = await this.#sequencer.run({
      until,
      ...(!last && appendMs !== undefined && { appendMs }),
    });
    if (!complete) return { idle: false };
    const published = await this.#publisher.run(log, await checkpointing(), last);
    return { idle: !grown && published === null };
  }
}
