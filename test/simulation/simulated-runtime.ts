import { DEFAULT_SETTINGS, type Settings } from '../../shared/app/context.ts';
import { RunStore } from '../../shared/app/coordination/run-store.ts';
import { recordStops } from '../../shared/app/ledger/run-stops.ts';
import { publishUnpublished } from '../../shared/app/notifications/outbox-publisher.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import { announceExemptions } from '../../shared/app/operator/exemption-notices.ts';
import { createWork } from '../../shared/app/reconciler/worker-context.ts';
import { WorkerPool } from '../../shared/app/reconciler/worker-pool.ts';
import { advanceRollout } from '../../shared/app/rollout/rollout-controller.ts';
import { scanPart } from '../../shared/app/scan/resumable-scan.ts';
import { requestScan } from '../../shared/app/schedule/scan-schedule.ts';
import { queueDue } from '../../shared/app/work-queue/requeue-due.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { EventBus } from '../../shared/ports/bus.ts';
import type { Simulation } from './environment.ts';
import type { Process } from './process.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The simulation, and how far the history is. */
export interface RuntimeSimulation extends Simulation {
  readonly seed: number;
  readonly calmed: boolean;
  readonly calmAt: number;
  readonly over: boolean;
  /** The policy of this history with this hash. */
  policyOf(hash: string): CompiledPolicy;
}

/** In half of the histories, listings replace reads as soon as two keys wait, because the organizations are small. */
function workerSettings(seed: number): Settings {
  return seed % 2 === 0 ? { ...DEFAULT_SETTINGS, listingFrom: 2 } : DEFAULT_SETTINGS;
}

/** The workers, ticks and scanners of the deployed runtime. */
export class SimulatedRuntime {
  readonly #simulation: RuntimeSimulation;
  /** Ids of the entries that the bus accepted. */
  readonly #accepted: Set<string>;
  readonly #waiting = new Set<() => void>();

  constructor(simulation: RuntimeSimulation, accepted: Set<string>) {
    this.#simulation = simulation;
    this.#accepted = accepted;
  }

  /** Wakes the workers that wait for a message. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  startWorker(): void {
    const policy = this.#simulation.policy;
    this.#simulation.invoke(
      'worker',
      async (process) => {
        await process.step();
        const deps = process.deps(policy);
        const settings = workerSettings(this.#simulation.seed);
        const work = await createWork(deps, settings, process.retrying(settings), policy);
        const pool = new WorkerPool(work, () => undefined);
        while (!process.stop.aborted) {
          if (await pool.take()) await pool.untilFree();
          else await this.#message(process);
        }
        await pool.drain();
      },
      () => {
        if (!this.#simulation.over)
          this.#simulation.time.after(this.#simulation.chance.between(1, 60_000), () => this.startWorker());
      },
    );
  }

  /** Waits until a message may be available. */
  async #message(process: Process): Promise<void> {
    const come = new AbortController();
    // The explicit reason avoids creating an exception with a stack each time.
    const wake = (): void => come.abort('a message');
    this.#waiting.add(wake);
    process.stop.addEventListener('abort', wake, { once: true });
    const next = this.#simulation.stores.inside.nextVisible();
    const ms = next === null ? HOUR : Math.max(0, next - this.#simulation.time.now());
    await this.#simulation.time.sleep(ms, come.signal);
    this.#waiting.delete(wake);
    process.stop.removeEventListener('abort', wake);
    // Long polling: workers do not wake at the same moment.
    await process.clock.sleep(this.#simulation.chance.between(1, 200));
  }

  tick(): void {
    // In the calm phase most ticks find nothing to do, so most are skipped, and even more after two hours.
    if (
      this.#simulation.calmed &&
      this.#simulation.chance.happens(this.#simulation.time.now() - this.#simulation.calmAt < 2 * HOUR ? 0.8 : 0.95)
    )
      return;
    const policy = this.#simulation.policy;
    this.#simulation.invoke('tick', async (process) => {
      const deps = process.deps(policy);
      const scanning = requestScan(deps, policy).then((request) => {
        if (request !== null) this.#startScanner(request.runId);
      });
      const due = advanceRollout(deps, policy).then(() => queueDue(deps, new RunStore(deps.registers), policy.hash));
      const publishing = publishUnpublished({ ...deps, bus: this.#bus() });
      const announcing = (async () => {
        await settleControls(deps);
        await announceExemptions(deps, policy);
        await recordStops(deps);
      })();
      const ends = await Promise.allSettled([scanning, due, publishing, announcing]);
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    });
  }

  /** A bus that rejects some entries. */
  #bus(): EventBus {
    return {
      publish: async (entries) => {
        const refused = entries.filter(() =>
          this.#simulation.chance.happens(this.#simulation.faultProfile.storeFails * 20),
        );
        const accepted = new Set(entries.filter((entry) => !refused.includes(entry)).map(({ id }) => id));
        for (const id of accepted) this.#accepted.add(id);
        return { accepted, refused: refused.map(({ id }) => ({ id, code: 'InternalFailure', message: 'not now' })) };
      },
    };
  }

  #startScanner(runId: string): void {
    this.#simulation.checker.scanStarted(runId);
    const policy = this.#simulation.policy;
    // The function's time limit is sometimes too short for the whole scan.
    const lifeMs = this.#simulation.chance.of([15 * MINUTE, 15 * MINUTE, 2 * MINUTE]);
    this.#simulation.invoke('scanner', async (process) => {
      const deps = process.deps(policy);
      const end = this.#simulation.time.now() + lifeMs;
      const deadline = { remainingMs: () => end - this.#simulation.time.now(), reserveMs: MINUTE };
      const requests = { send: async ({ runId: next }: { readonly runId: string }) => this.#startScanner(next) };
      await scanPart(
        {
          ...{ deps, settings: DEFAULT_SETTINGS, retrying: process.retrying(DEFAULT_SETTINGS), policy },
          ...{ requests, deadline, onProgress: () => undefined },
        },
        runId,
      );
      if (this.#simulation.time.now() > end) process.die();
    });
  }
}
