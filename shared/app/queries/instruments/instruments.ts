import type { MetricFamily } from '../../../domain/open-metrics.ts';
import type { CompiledPolicy } from '../../../domain/policy/index.ts';
import { SharedRead } from '../../../domain/shared-read.ts';
import type { Clock } from '../../../ports/system.ts';
import type { Stores } from '../../context.ts';
import { busOf } from '../../notifications/outbox-state.ts';
import { metricFamilies, type ProcessReading, readStore, type StoreReading } from './readings.ts';

export interface InstrumentsOptions {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly process: ProcessReading;
  /** The deployment's event bus; `null`: none. */
  readonly deployedBus: string | null;
  /** How long counts of the store are reused, ms. Counting reads every account. */
  readonly maxAgeMs: number;
}

/** The metrics of a process and of its store, read on request. */
export class Instruments {
  readonly #options: InstrumentsOptions;
  readonly #shared = new SharedRead<StoreReading>();
  #known: { readonly at: number; readonly reading: StoreReading } | null = null;

  constructor(options: InstrumentsOptions) {
    this.#options = options;
  }

  /** @param policy the policy in force; `null`: it cannot be read */
  async read(policy: CompiledPolicy | null): Promise<readonly MetricFamily[]> {
    const { clock, process } = this.#options;
    const reading = await this.#store(policy);
    return metricFamilies(reading, process, clock.now());
  }

  async #store(policy: CompiledPolicy | null): Promise<StoreReading> {
    const { stores, clock, deployedBus, maxAgeMs } = this.#options;
    const known = this.#known;
    if (known !== null && known.reading.policy === policy && clock.now() - known.at < maxAgeMs) return known.reading;
    return this.#shared.get(async () => {
      const at = clock.now();
      const reading = await readStore(stores, { policy, bus: busOf(policy, deployedBus), now: at });
      this.#known = { at, reading };
      return reading;
    });
  }
}
