import { Command, CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { GlobalFlags } from '../../shared/config/config.ts';
import type { Run } from './context.ts';
import { defineAudit } from './definitions/audit.ts';
import { defineBackup, defineDlq, defineDoctor } from './definitions/maintenance.ts';
import { definePolicy } from './definitions/policy.ts';
import { defineApply, defineApprove, defineControls, definePlan, defineServe } from './definitions/remediation.ts';
import { defineDemo, defineSandbox } from './definitions/sandbox.ts';
import { defineScan } from './definitions/scan.ts';
import { defineAccount, defineStatus } from './definitions/state.ts';

/** The parsed command line: the chosen command, and the options that every command accepts. */
export interface Parsed {
  readonly run: Run;
  readonly flags: GlobalFlags;
}

const EXIT_CODES = `
Exit codes: 0 nothing to change or changes await confirmation, 1 error,
2 drift found, 3 partly done, 4 stopped by a guardrail or the kill switch,
130 interrupted.
AWS credentials and Region come from the AWS SDK's own settings (AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL, …). To get started: rollcall doctor, then
rollcall policy init, then rollcall plan.`;

/** Where help goes: `write` for help that the user requested, `note` for help after a usage error. */
export interface Writers {
  readonly write: (text: string) => void;
  readonly note: (text: string) => void;
}

/**
 * Parses the command line.
 * @throws CommanderError for help and version (exit code 0) and for invalid arguments (1).
 */
export function parse(args: readonly string[], writers: Writers): Parsed {
  const chosen: Run[] = [];
  const program = new Command('rollcall')
    .description(
      'Keep every account of an AWS Organization at the Compute Optimizer enrollment that your policy declares.',
    )
    .version(manifest.version)
    .option('--json', 'one JSON document on stdout')
    .option('--store <kind>', 'embedded or aws', 'embedded')
    .option('--data-dir <dir>', 'directory of the embedded store', '.rollcall')
    .option('--verbose', 'details on stderr')
    .option('--no-color', 'plain text')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXIT_CODES);
  quiet(program, writers);
  const select = (run: Run): void => {
    chosen.push(run);
  };
  for (const define of COMMANDS) define(program, select);
  for (const command of descendants(program)) quiet(command, writers);
  program.parse([...args], { from: 'user' });
  const [run] = chosen;
  if (run === undefined) throw new CommanderError(1, 'rollcall.noCommand', 'no command was given');
  return { run, flags: flagsOf(program.opts()) };
}

const COMMANDS = [
  definePlan,
  defineApply,
  defineApprove,
  defineControls,
  defineServe,
  defineScan,
  defineStatus,
  defineAccount,
  definePolicy,
  defineAudit,
  defineDlq,
  defineBackup,
  defineDoctor,
  defineSandbox,
  defineDemo,
];

function descendants(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...descendants(each)]);
}

/** Commander throws its errors instead of printing them, so that they are reported in one place. */
function quiet(command: Command, { write, note }: Writers): void {
  command
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: note, outputError: () => undefined })
    .configureHelp({ showGlobalOptions: true });
}

function flagsOf(options: Readonly<Record<string, unknown>>): GlobalFlags {
  return {
    json: options['json'] === true,
    store: String(options['store']),
    dataDir: String(options['dataDir']),
    verbose: options['verbose'] === true,
    color: options['color'] !== false,
  };
}
