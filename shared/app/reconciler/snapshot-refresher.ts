import { compileControls } from '../../domain/decision/operator-controls.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Deps, Settings } from '../context.ts';
import { readControls } from '../guardrails/controls.ts';
import type { Retrying } from '../support/retry.ts';
import { takeSnapshot } from '../survey/organization-snapshot.ts';
import { snapshotMaxAgeMs } from './worker-context.ts';

/** How often the age is checked, ms. */
const CHECK_EVERY_MS = 10_000;

/**
 * Renews the snapshot (the stored list of accounts with their OUs and tags) during a long run. Without it, the snapshot would become too old for
 * assessments after two schedule periods, and the keys of the run would wait for a scan that does not start while the run lasts.
 */
export class SnapshotRefresher {
  readonly #deps: Deps;
  readonly #settings: Settings;
  readonly #retrying: Retrying;
  readonly #policy: CompiledPolicy;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(deps: Deps, settings: Settings, retrying: Retrying, policy: CompiledPolicy) {
    this.#deps = deps;
    this.#settings = settings;
    this.#retrying = retrying;
    this.#policy = policy;
  }

  /** Starts a reading if it is due, without waiting for it. */
  async keepFresh(): Promise<void> {
    const now = this.#deps.clock.now();
    if (this.#reading !== null || now - this.#checkedAt < CHECK_EVERY_MS) return;
    this.#checkedAt = now;
    const meta = await this.#deps.snapshots.meta();
    if (meta === null || now - meta.takenAt < snapshotMaxAgeMs(this.#policy, this.#settings) / 2) return;
    this.#reading = this.#read().finally(() => {
      this.#reading = null;
    });
  }

  /** Waits for a reading in progress. */
  async close(): Promise<void> {
    await this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const controls = compileControls(await readControls(this.#deps.registers));
      const needs = { usesTags: this.#policy.usesTags || controls.usesTags };
      await takeSnapshot(this.#deps, 0, this.#retrying, needs, true, () => undefined);
    } catch (error) {
      // Nothing awaits this read before `close`, so a rejection would end the process. The current snapshot is still usable for a while, and the next
      // check retries. If AWS or the store stays unavailable, the workers report it.
      const message = error instanceof Error ? error.message : String(error);
      this.#deps.logger.warn('could not refresh the organization snapshot', { message });
    }
  }
}
