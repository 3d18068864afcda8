import { Process } from './process.ts';
import type { RuntimeSimulation } from './simulated-runtime.ts';

/** The processes of a history that have not ended. */
export class Processes {
  readonly #simulation: RuntimeSimulation;
  readonly #living = new Set<Process>();
  #started = 0;

  constructor(simulation: RuntimeSimulation) {
    this.#simulation = simulation;
  }

  /**
   * Runs `work` in a separate process. An error ends only that process.
   * @param create creates the process
   */
  invoke(
    what: string,
    work: (process: Process) => Promise<void>,
    after: () => void = () => undefined,
    create: (name: string) => Process = (name) => new Process(this.#simulation, name),
  ): void {
    this.#started += 1;
    const process = create(`${what}-${this.#started}`);
    this.#living.add(process);
    process.stop.addEventListener('abort', () => {
      this.#living.delete(process);
      after();
    });
    work(process)
      .catch((error: unknown) =>
        this.#simulation.note(`${process.name} ends: ${error instanceof Error ? error.message : String(error)}`),
      )
      .finally(() => process.end());
  }

  /** Ends all within five minutes, one after the other, as if a new policy file reached them at different times. */
  restart(): void {
    const { time, chance } = this.#simulation;
    for (const process of this.#living) time.after(chance.between(0, 5 * 60_000), () => process.end());
  }
}
