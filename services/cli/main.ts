import { CommanderError } from 'commander';
import { systemClock } from '../../shared/compose/system.ts';
import { type Config, readConfig } from '../../shared/config/config.ts';
import { environment } from '../../shared/config/environment.ts';
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

async function main(args: readonly string[]): Promise<number> {
  const interrupt = listenForInterrupts(process, systemClock.now, (code) => process.exit(code));
  const guessed = guessedConfig(args);
  let output = new Output(process.stdout, process.stderr, guessed);
  let parsed: Parsed;
  let config: Config;
  try {
    parsed = parse(args, {
      write: (text) => output.print(text.trimEnd()),
      note: (text) => output.note(text.trimEnd()),
    });
    config = readConfig(parsed.flags, environment());
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    return fail(output, error, guessed.verbose);
  }
  output = new Output(process.stdout, process.stderr, config);
  const logger = cliLogger(output, systemClock, config.verbose);
  try {
    return await parsed.run({ config, env: environment(), output, interrupt, clock: systemClock, logger });
  } catch (error) {
    if (!(error instanceof Interrupted)) return fail(output, error, config.verbose);
    if (output.json) output.document({ error: { code: 'Interrupted', message: error.message } });
    else output.note(`Interrupted: ${error.message}.`);
    return interrupt.exitCode;
  }
}

process.exitCode = await main(process.argv.slice(2));
