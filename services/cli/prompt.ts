import { createInterface } from 'node:readline';
import type { CliContext } from './context.ts';

/** Asks a yes-or-no question on the terminal. Any answer but y or yes means no, and so does the end of input. */
export async function confirm(context: CliContext, question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await answerTo(context, `${question} [y/N]`));
}

/** Asks for a word, so that nobody agrees by habit. Any other answer means no. */
export async function confirmByTyping(context: CliContext, question: string, word: string): Promise<boolean> {
  return (await answerTo(context, question)) === word;
}

/** One line of the input, without spaces around it; empty at the end of input. The terminal itself handles Ctrl-C, which sends a signal. */
function answerTo({ output, input }: CliContext, question: string): Promise<string> {
  output.ask(`${output.noteStyle('bold', question)} `);
  const lines = createInterface({ input: input() });
  return new Promise<string>((resolve) => {
    lines.once('line', (line) => {
      resolve(line.trim());
      lines.close();
    });
    lines.once('close', () => resolve(''));
  });
}
