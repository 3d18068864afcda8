import { writeSync } from 'node:fs';
import { CommanderError } from 'commander';
import { systemClock } from '../../shared/compose/system.ts';
import { type Config, readConfig } from '../../shared/config/config.ts';
import { environment } from '../../shared/config/environment.ts';
import { writeAdvice } from '../../shared/config/text-file.ts';
import { tell, toldLines } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { Interrupted, listenForInterrupts } from './interrupt.ts';
import { cliLogger } from './log.ts';
import { type Parsed, parse } from './program.ts';
import { Output } from './ui/output.ts';

/** What is known of the user's wishes before the command line could be read. */
function guessedConfig(args: readonly string[]): Pick<Config, 'json' | 'verbose' | 'color'> {
  return { json: args.includes('--json'), verbose: args.includes('--verbose'), color: 'auto' };
}

function fail(output: Output, error: unknown, verbose: boolean): number {
  const told = tell(error);
  if (output.json) output.document({ error: told });
  else for (const line of toldLines(told)) output.note(line);
  if (verbose && error instanceof Error) output.note(error.stack ?? error.message);
  return EXIT.error;
}

const STDERR_FD = 2;

function openOutput(config: Pick<Config, 'json' | 'color'>): Output {
  return new Output(process.stdout, process.stderr, config, (text) => void writeSync(STDERR_FD, text));
}

/** The exit code of a command; a failure if its result could not be written. */
async function afterResult(output: Output, exitCode: number): Promise<number> {
  await output.settled();
  if (output.lostResult === null) return exitCode;
  output.note(`error: stdout cannot be written (${output.lostResult}): ${writeAdvice(output.lostResult)}`);
  return EXIT.error;
}

async function main(args: readonly string[]): Promise<number> {
  const interrupt = listenForInterrupts(process, systemClock.now, (code) => process.exit(code));
  const guessed = guessedConfig(args);
  const early = openOutput(guessed);
  let parsed: Parsed;
  let config: Config;
  try {
    parsed = parse(args, {
      write: (text) => early.print(text.trimEnd()),
      note: (text) => early.note(text.trimEnd()),
    });
    config = readConfig(parsed.flags, environment());
  } catch (error) {
    const shown = error instanceof CommanderError && error.exitCode === 0;
    return afterResult(early, shown ? EXIT.ok : fail(early, error, guessed.verbose));
  }
  const output = openOutput(config);
  const run = (): Promise<number> => {
    const logger = cliLogger(output, systemClock, config.verbose);
    return parsed.run({ config, env: environment(), output, interrupt, clock: systemClock, logger });
  };
  const exitCode = await run().catch((error: unknown): number => {
    if (!(error instanceof Interrupted)) return fail(output, error, config.verbose);
    if (output.json) output.document({ error: { code: 'Interrupted', message: error.message } });
    else output.note(`Interrupted: ${error.message}.`);
    return interrupt.exitCode;
  });
  return afterResult(output, exitCode);
}

process.exitCode = await main(process.argv.slice(2));
