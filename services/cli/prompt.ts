import { createInterface, type Interface } from 'node:readline';
import type { CliContext } from './context.ts';

/** Asks a yes-or-no question on the terminal. Any answer but y or yes means no, and so does the end of input. */
export async function confirm(context: CliContext, question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await answerTo(context, `${question} [y/N]`));
}

/** Asks for a word, so that nobody agrees by habit. Any other answer means no. */
export async function confirmByTyping(context: CliContext, question: string, word: string): Promise<boolean> {
  return (await answerTo(context, question)) === word;
}

/** The lines of one input: a question after the first one gets what was typed or piped after the first answer. */
class Lines {
  readonly #reader: Interface;
  readonly #read: string[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(input: NodeJS.ReadableStream) {
    this.#reader = createInterface({ input });
    this.#reader.on('line', (line) => {
      this.#read.push(line);
      this.#wake();
    });
    this.#reader.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The next line; empty at the end of input. */
  async next(): Promise<string> {
    if (this.#read.length === 0 && !this.#ended) {
      this.#reader.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      // An input that is read keeps the process alive.
      if (!this.#ended) this.#reader.pause();
    }
    return this.#read.shift() ?? '';
  }
}

const known = new WeakMap<NodeJS.ReadableStream, Lines>();

/** One line of the input, without spaces around it; empty at the end of input. The terminal itself handles Ctrl-C, which sends a signal. */
async function answerTo({ output, input }: CliContext, question: string): Promise<string> {
  output.ask(`${output.noteStyle('bold', question)} `);
  const stream = input();
  const lines = known.get(stream) ?? new Lines(stream);
  known.set(stream, lines);
  return (await lines.next()).trim();
}
