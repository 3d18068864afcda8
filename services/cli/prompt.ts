import { createInterface } from 'node:readline/promises';
import type { CliContext } from './context.ts';

/** Asks a yes-or-no question on the terminal. Any answer but y or yes means no, and so does the end of input. */
export async function confirm({ output, interrupt }: CliContext, question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // In the terminal's raw mode Ctrl-C is a key, not a signal.
  lines.on('SIGINT', () => process.exit(interrupt.exitCode));
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([
      lines.question(output.forPeople(`${output.noteStyle('bold', question)} [y/N] `)),
      ended,
    ]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
