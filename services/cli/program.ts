import { Command, CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { Environment, GlobalFlags, OutputFormat } from '../../shared/config/config.ts';
import { ConfigError } from '../../shared/config/config-error.ts';
import { quoted } from '../../shared/domain/check-result.ts';
import type { Run } from './context.ts';
import { defineAudit, defineEvidence } from './definitions/audit.ts';
import { defineCompletion, defineHelp, defineVersion } from './definitions/general.ts';
import { defineInstall } from './definitions/install.ts';
import { defineBackup, defineDlq, defineDoctor } from './definitions/maintenance.ts';
import { definePolicy } from './definitions/policy.ts';
import { defineApply, defineApprove, defineControls, definePlan, defineServe } from './definitions/remediation.ts';
import { defineDemo, defineSandbox } from './definitions/sandbox.ts';
import { defineScan } from './definitions/scan.ts';
import { defineAccount, defineAccounts, defineStatus } from './definitions/state.ts';
import { applyEnvironment } from './help/environment-defaults.ts';
import { descriptionOf, helpOf, pathOf } from './help/format.ts';
import { HELP } from './help/texts/index.ts';
import { UsageError } from './usage-error.ts';
import { meantBy, plainly } from './usage-suggestions.ts';

/** The parsed command line: the chosen command, and the options that every command accepts. */
export interface Parsed {
  readonly run: Run;
  /** The words of the command: `audit list`. */
  readonly path: string;
  readonly flags: GlobalFlags;
}

/** Where help goes: `write` for help that the user requested. Errors are thrown. */
export interface Writers {
  readonly write: (text: string) => void;
}

/**
 * Parses the command line. Options that it does not set come from the environment, if a variable is their default.
 * @throws UsageError for invalid arguments, ConfigError for a format that the command does not have, CommanderError with exit code 0 for help
 * and `--version`
 */
export function parse(args: readonly string[], { write }: Writers, env: Environment = {}): Parsed {
  const chosen: Run[] = [];
  const program = commandLine((run) => {
    chosen.push(run);
  });
  let path = '';
  program.hook('preAction', (_program, action) => {
    path = pathOf(action);
    for (const command of [action, program]) refuseEmpty(command);
  });
  const all = [program, ...descendants(program)];
  for (const command of all) throwErrors(command, write);
  applyEnvironment(all, env);
  if (args.length === 0) program.help();
  program.parse([...args], { from: 'user' });
  const [run] = chosen;
  if (run === undefined) throw new UsageError(new CommanderError(1, 'commander.help', ''), '');
  const flags = flagsOf(program.opts());
  checkFormat(path, flags.output);
  return { run, path, flags: { ...flags, storeWords: storeWordsOf(program, flags) } };
}

const nothing = (): void => undefined;

/** The program with all its commands and help texts. `select` receives the command that a parsed line names. */
export function commandLine(select: (run: Run) => void = nothing): Command {
  const program = new Command('rollcall')
    .version(manifest.version, '--version', 'print the version')
    .option('-o, --output <format>', 'json; accounts, audit list and plan have more formats')
    .option('--json', 'one JSON document on stdout; same as --output json')
    .option('--store <kind>', 'embedded or aws', 'embedded')
    .option('--data-dir <dir>', 'directory of the embedded store', '.rollcall')
    .option('-q, --quiet', 'no progress, no hints')
    .option('--verbose', 'details and AWS calls on stderr')
    .option('--no-color', 'plain text');
  for (const define of COMMANDS) define(program, select);
  for (const command of [program, ...descendants(program)]) {
    const text = HELP[pathOf(command)];
    if (text !== undefined) command.summary(text.summary).description(descriptionOf(command));
    command.helpOption('-h, --help', 'help for a command').helpCommand(false).configureHelp({ formatHelp: helpOf });
  }
  return program;
}

const COMMANDS = [
  definePlan,
  defineApply,
  defineApprove,
  defineControls,
  defineServe,
  defineScan,
  defineStatus,
  defineAccounts,
  defineAccount,
  definePolicy,
  defineAudit,
  defineEvidence,
  defineDlq,
  defineBackup,
  defineDoctor,
  defineInstall,
  defineSandbox,
  defineDemo,
  defineCompletion,
  defineVersion,
  defineHelp,
];

function descendants(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...descendants(each)]);
}

/** Commander throws its errors instead of printing them, so that they are reported in one place. */
function throwErrors(command: Command, write: (text: string) => void): void {
  command
    .exitOverride((error) => {
      throw error.exitCode === 0
        ? error
        : new UsageError(error, pathOf(command), { meant: meantBy(error, command), message: plainly(error, command) });
    })
    .configureOutput({ writeOut: write, writeErr: nothing, outputError: nothing });
}

/** Options that say themselves what is wrong with an empty value. */
const EXPLAINED: ReadonlySet<string> = new Set(['dataDir', 'output', 'store']);

/** No option has a use for an empty value, which scripts pass if a shell variable is unset. @throws ConfigError */
function refuseEmpty(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValue(name) !== '' || command.getOptionValueSource(name) !== 'cli' || EXPLAINED.has(name)) {
      continue;
    }
    throw new ConfigError('Usage', `${option.long ?? option.flags} is empty; expected a value. Is a variable unset?`);
  }
}

/** Formats that every command has. */
const ALWAYS: readonly OutputFormat[] = ['table', 'json'];

/** An unknown format is refused with the other settings. */
function checkFormat(path: string, output: string | undefined): void {
  const formats: readonly string[] = [...ALWAYS, ...(HELP[path]?.formats ?? [])];
  const known: readonly string[] = ['wide', 'csv', 'name'];
  if (output === undefined || formats.includes(output) || !known.includes(output)) return;
  const message = `rollcall ${path} has no --output ${output}; expected ${formats.join(', ')}.`;
  throw new ConfigError('Usage', message);
}

/** The options that name the store, if the command line has them. Those of the environment apply to the next command, too. */
function storeWordsOf(program: Command, { store, dataDir }: GlobalFlags): readonly string[] {
  const isGiven = (name: string): boolean => program.getOptionValueSource(name) === 'cli';
  return [
    ...(isGiven('store') ? ['--store', quoted(store)] : []),
    ...(isGiven('dataDir') ? ['--data-dir', quoted(dataDir)] : []),
  ];
}

function flagsOf(options: Readonly<Record<string, unknown>>): GlobalFlags {
  const output = options['output'];
  return {
    json: options['json'] === true,
    ...(typeof output === 'string' && { output }),
    quiet: options['quiet'] === true,
    store: String(options['store']),
    dataDir: String(options['dataDir']),
    verbose: options['verbose'] === true,
    color: options['color'] !== false,
  };
}
