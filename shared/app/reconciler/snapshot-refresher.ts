import { compileControls } from '../../domain/decision/operator-controls.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Deps, Settings } from '../context.ts';
import { readControls } from '../guardrails/controls.ts';
import type { Retrying } from '../support/retry.ts';
import { takeSnapshot } from '../survey/organization-snapshot.ts';
import { snapshotMaxAgeMs } from './worker-context.ts';

/** How often the age is looked at, ms. */
const LOOK_EVERY_MS = 10_000;

/**
 * Reads the organization again while a run goes on, before the snapshot gets too old to judge by: keys of a run that lasts longer than two
 * schedule periods would otherwise wait for a scan that nobody makes.
 */
export class SnapshotRefresher {
  readonly #deps: Deps;
  readonly #settings: Settings;
  readonly #retrying: Retrying;
  readonly #policy: CompiledPolicy;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(deps: Deps, settings: Settings, retrying: Retrying, policy: CompiledPolicy) {
    this.#deps = deps;
    this.#settings = settings;
    this.#retrying = retrying;
    this.#policy = policy;
  }

  /** Begins a reading if it is time, and returns at once: the work goes on beside it. */
  async keepFresh(): Promise<void> {
    const now = this.#deps.clock.now();
    if (this.#reading !== null || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    const meta = await this.#deps.snapshots.meta();
    if (meta === null || now - meta.takenAt < snapshotMaxAgeMs(this.#policy, this.#settings) / 2) return;
    this.#reading = this.#read().finally(() => {
      this.#reading = null;
    });
  }

  /** Waits for a reading that is under way. */
  async close(): Promise<void> {
    await this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const controls = compileControls(await readControls(this.#deps.registers));
      const needs = { usesTags: this.#policy.usesTags || controls.usesTags };
      await takeSnapshot(this.#deps, 0, this.#retrying, needs, true, () => undefined);
    } catch (error) {
      // The present one still holds for a while, and the next look tries again; whoever works meets the same error and tells it.
      if (!(error instanceof CloudError)) throw error;
      this.#deps.logger.warn('the organization could not be read again', { message: error.message });
    }
  }
}
