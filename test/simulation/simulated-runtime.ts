import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import { RunStore } from '../../shared/app/coordination/run-store.ts';
import { publishUnpublished } from '../../shared/app/notifications/outbox-publisher.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import { announceExemptions } from '../../shared/app/operator/exemption-notices.ts';
import { createWork } from '../../shared/app/reconciler/create-worker.ts';
import { WorkerPool } from '../../shared/app/reconciler/worker-pool.ts';
import { advanceRollout } from '../../shared/app/rollout/rollout-controller.ts';
import { scanPart } from '../../shared/app/scan/resumable-scan.ts';
import { requestScan } from '../../shared/app/schedule/scan-schedule.ts';
import { queueDue } from '../../shared/app/work-queue/requeue-due.ts';
import type { EventBus } from '../../shared/ports/bus.ts';
import type { Stage } from './environment.ts';
import type { Process } from './process.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The stage, and how far the history is. */
export interface RuntimeStage extends Stage {
  readonly calmed: boolean;
  readonly calmAt: number;
  readonly over: boolean;
}

/** The workers, ticks and scanners of the deployed runtime. */
export class SimulatedRuntime {
  readonly #stage: RuntimeStage;
  /** Ids of the entries that the bus accepted. */
  readonly #accepted: Set<string>;
  readonly #waiting = new Set<() => void>();

  constructor(stage: RuntimeStage, accepted: Set<string>) {
    this.#stage = stage;
    this.#accepted = accepted;
  }

  /** Wakes the workers that wait for a message. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  startWorker(): void {
    const policy = this.#stage.policy;
    this.#stage.invoke(
      'worker',
      async (process) => {
        await process.step();
        const deps = process.deps(policy);
        const work = await createWork(deps, DEFAULT_SETTINGS, process.retrying(DEFAULT_SETTINGS), policy);
        const pool = new WorkerPool(work, () => undefined);
        while (!process.stop.aborted) {
          if (await pool.take()) await pool.untilFree();
          else await this.#message(process);
        }
        await pool.drain();
      },
      () => {
        if (!this.#stage.over) this.#stage.time.after(this.#stage.chance.between(1, 60_000), () => this.startWorker());
      },
    );
  }

  /** Waits until there may be a message. */
  async #message(process: Process): Promise<void> {
    const come = new AbortController();
    // A reason: without one an exception is made for it each time, stack and all.
    const wake = (): void => come.abort('a message');
    this.#waiting.add(wake);
    process.stop.addEventListener('abort', wake, { once: true });
    const next = this.#stage.stores.inside.nextVisible();
    const ms = next === null ? HOUR : Math.max(0, next - this.#stage.time.now());
    await this.#stage.time.sleep(ms, come.signal);
    this.#waiting.delete(wake);
    process.stop.removeEventListener('abort', wake);
    // Long polling: not all at the very same moment.
    await process.clock.sleep(this.#stage.chance.between(1, 200));
  }

  tick(): void {
    // In calm weather most ticks find nothing to do: looking every few minutes is as good; later, when something only waits for hours
    // to pass, a few times an hour.
    if (
      this.#stage.calmed &&
      this.#stage.chance.happens(this.#stage.time.now() - this.#stage.calmAt < 2 * HOUR ? 0.8 : 0.95)
    )
      return;
    const policy = this.#stage.policy;
    this.#stage.invoke('tick', async (process) => {
      const deps = process.deps(policy);
      const scanning = requestScan(deps, policy).then((request) => {
        if (request !== null) this.#startScanner(request.runId);
      });
      const due = advanceRollout(deps, policy).then(() => queueDue(deps, new RunStore(deps.registers), policy.hash));
      const publishing = publishUnpublished({ ...deps, bus: this.#bus() });
      const announcing = (async () => {
        await settleControls(deps);
        await announceExemptions(deps, policy);
      })();
      const ends = await Promise.allSettled([scanning, due, publishing, announcing]);
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    });
  }

  /** A bus that takes some and refuses some. */
  #bus(): EventBus {
    return {
      publish: async (entries) => {
        const refused = entries.filter(() => this.#stage.chance.happens(this.#stage.weather.storeFails * 20));
        const accepted = new Set(entries.filter((entry) => !refused.includes(entry)).map(({ id }) => id));
        for (const id of accepted) this.#accepted.add(id);
        return { accepted, refused: refused.map(({ id }) => ({ id, code: 'InternalFailure', message: 'not now' })) };
      },
    };
  }

  #startScanner(runId: string): void {
    this.#stage.judge.scanBegins(runId);
    const policy = this.#stage.policy;
    // A function's time: sometimes too short for all of it.
    const lifeMs = this.#stage.chance.of([15 * MINUTE, 15 * MINUTE, 2 * MINUTE]);
    this.#stage.invoke('scanner', async (process) => {
      const deps = process.deps(policy);
      const end = this.#stage.time.now() + lifeMs;
      const deadline = { remainingMs: () => end - this.#stage.time.now(), reserveMs: MINUTE };
      const requests = { send: async ({ runId: next }: { readonly runId: string }) => this.#startScanner(next) };
      await scanPart(
        {
          ...{ deps, settings: DEFAULT_SETTINGS, retrying: process.retrying(DEFAULT_SETTINGS), policy },
          ...{ requests, deadline, onProgress: () => undefined },
        },
        runId,
      );
      if (this.#stage.time.now() > end) process.die();
    });
  }
}
