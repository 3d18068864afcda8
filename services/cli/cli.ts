import { CommanderError } from 'commander';
import { systemClock } from '../../shared/compose/clock.ts';
import { type Config, isCheckout, programOf, readConfig } from '../../shared/config/config.ts';
import type { Clock } from '../../shared/ports/system.ts';
import type { Input } from './context.ts';
import { EXIT, EXIT_WORDS } from './exit-codes.ts';
import { Interrupted, listenForInterrupts, type SignalSource } from './interrupt.ts';
import { type Parsed, parse } from './program.ts';
import { Output, type Stream } from './ui/output.ts';

/** The parts of the process that the command line uses, so that tests can run commands without starting a process. */
export interface Host {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Opened at the first question, because opening takes time. */
  readonly stdin: () => Input;
  /** Whether a terminal controls the process, so that Ctrl-C reaches it directly. Default: no. */
  readonly inTerminal?: boolean;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  readonly env: Record<string, string | undefined>;
  readonly signals: SignalSource;
  readonly exit: (code: number) => void;
  /** Writes to stderr after its stream failed on a full disk; throws if the disk is still full. */
  readonly rewrite: (text: string) => void;
}

/** Runs one command and reports its errors. @returns the exit code */
export async function runCli(args: readonly string[], host: Host): Promise<number> {
  const { clock = systemClock } = host;
  const checkout = isCheckout(host.env);
  const twice = checkout && host.inTerminal === true;
  const interrupt = listenForInterrupts(host.signals, { now: clock.now, exit: host.exit, twice });
  const guessed = guessedConfig(args);
  const early = openOutput(host, guessed);
  let parsed: Parsed;
  let config: Config;
  try {
    const write = (text: string): void => {
      early.print(text.trimEnd());
      // Help texts name the installed command.
      const typed = programOf(host.env);
      if (typed !== 'rollcall')
        early.note(`${checkout ? 'In this checkout' : 'Here'}, type \`${typed}\` instead of \`rollcall\`.`);
    };
    parsed = parse(args, { write }, host.env);
    config = readConfig(parsed.flags, host.env);
  } catch (error) {
    // Help and version were shown.
    if (error instanceof CommanderError && error.exitCode === 0) return afterResult(early, EXIT.ok, null);
    const failed = openOutput(host, { ...guessed, program: programOf(host.env) });
    return afterResult(
      failed,
      await fail(failed, error, { ...guessed, env: host.env, store: 'the store' }),
      exitWords(guessed, ''),
    );
  }
  const output = openOutput(host, isForPrograms(config, parsed.path) ? { ...config, program: 'rollcall' } : config);
  const run = async (): Promise<number> => {
    // Help and usage errors need neither stores nor logs.
    const { runCommand } = await import('./run-command.ts');
    return runCommand(parsed.run, { config, env: host.env, output, input: host.stdin, interrupt, clock });
  };
  const exitCode = await run().catch(async (error: unknown): Promise<number> => {
    if (!(error instanceof Interrupted))
      return fail(output, error, {
        ...config,
        env: host.env,
        store: storeLabel(config, host.env),
        command: parsed.path,
      });
    if (output.json) output.document({ error: { code: 'Interrupted', message: error.message } });
    else output.note(`Interrupted: ${error.message}.`);
    return interrupt.exitCode;
  });
  return afterResult(output, exitCode, exitWords(config, parsed.path));
}

/** The options that decide how an invalid command line is reported. They are needed before the command line is parsed. */
function guessedConfig(args: readonly string[]): Pick<Config, 'json' | 'quiet' | 'verbose' | 'color'> {
  const json = /(^| )(--json|(-o|--output)[ =]?json)( |$)/.test(args.join(' '));
  const quiet = args.includes('--quiet') || args.includes('-q');
  return { json, quiet, verbose: args.includes('--verbose'), color: 'auto' };
}

function storeLabel({ store, dataDir }: Config, env: Host['env']): string {
  return store === 'embedded' ? dataDir : `table ${env['ROLLCALL_TABLE'] ?? ''}`;
}

async function fail(
  output: Output,
  error: unknown,
  {
    verbose,
    ...surroundings
  }: Pick<Config, 'verbose'> & { readonly env: Host['env']; readonly store: string; readonly command?: string },
): Promise<number> {
  const { documentOf, reportLines, reportOf } = await import('./errors.ts');
  const report = reportOf(error, surroundings);
  if (output.json) output.document({ error: documentOf(report) });
  else for (const line of reportLines(report, output.noteWidth)) output.note(line);
  if (verbose && error instanceof Error) output.note(error.stack ?? error.message);
  return EXIT.error;
}

function openOutput(
  { stdout, stderr, rewrite }: Host,
  config: Pick<Config, 'json' | 'color'> & Partial<Pick<Config, 'program'>>,
): Output {
  return new Output(stdout, stderr, config, rewrite);
}

/** Commands that only print something about Rollcall itself. */
const ABOUT_ROLLCALL: ReadonlySet<string> = new Set(['help', 'version', 'completion', '__complete']);
/** Whether commands in the output keep the name `rollcall`, because another program reads the output, or it is a script or a help text. */
const isForPrograms = ({ format }: Pick<Config, 'format'>, path: string): boolean =>
  format === 'csv' || format === 'name' || ABOUT_ROLLCALL.has(path.split(' ')[0] ?? '');

/** Commands that end with 0 if the organization has converged. */
const ABOUT_DRIFT: ReadonlySet<string> = new Set(['plan', 'apply', 'scan', 'status']);

/** How the last line of a log names an exit code; `null`: the log has no such line. */
function exitWords({ json, quiet }: Pick<Config, 'json' | 'quiet'>, path: string): ((code: number) => string) | null {
  if (json || quiet || ABOUT_ROLLCALL.has(path)) return null;
  const success = ABOUT_DRIFT.has(path) ? 'converged' : 'done';
  return (code) => (code === EXIT.ok ? success : (EXIT_WORDS[code] ?? 'error'));
}

/**
 * Ends the output: the log of a job names the exit code, which the job may hide.
 * @returns the exit code of a command; `EXIT.error` if its result could not be written
 */
async function afterResult(
  output: Output,
  exitCode: number,
  words: ((code: number) => string) | null,
): Promise<number> {
  await output.settled();
  let code = exitCode;
  if (output.lostResult !== null) {
    const { writeAdvice } = await import('../../shared/config/text-file.ts');
    output.note(`error: stdout cannot be written (${output.lostResult}): ${writeAdvice(output.lostResult)}`);
    code = EXIT.error;
  }
  if (words !== null && !output.notesAreTerminal) output.note(`rollcall: exit code ${code} (${words(code)})`);
  return code;
}
