import { createLogUpdate } from 'log-update';
import type { Output } from './output.ts';
import type { ProgressOptions } from './progress.ts';
import { count } from './words.ts';

/** Time between two lines where stderr is not a terminal, ms. */
const LINE_MS = 10_000;
/** Time between two changes of the line on a terminal, ms. */
const FRAME_MS = 250;

/** Shows how many entries have been read: one line that disappears on a terminal, otherwise a line every 10 s. */
export class EntriesProgress {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #mode: ProgressOptions['mode'];
  readonly #block: ReturnType<typeof createLogUpdate>;
  #next: number;

  constructor({ output, now, stream, mode }: ProgressOptions) {
    this.#output = output;
    this.#now = now;
    this.#mode = mode;
    this.#block = createLogUpdate(stream, { showCursor: true });
    this.#next = now() + (mode === 'live' ? 0 : LINE_MS);
  }

  readonly take = (entries: number): void => {
    if (this.#mode === 'off' || this.#now() < this.#next) return;
    const text = `Reading the audit log: ${count(entries, 'entry', 'entries')}`;
    if (this.#mode === 'live') this.#block(this.#output.forPeople(text));
    else this.#output.note(text);
    this.#next = this.#now() + (this.#mode === 'live' ? FRAME_MS : LINE_MS);
  };

  end(): void {
    if (this.#mode === 'live') this.#block.clear();
  }
}
