import { quoted } from '../domain/check-result.ts';
import { ConfigError } from './config-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The flags that every command accepts, before they are checked. */
export interface GlobalFlags extends Pick<Config, 'dataDir' | 'verbose'> {
  /** `--json`: the same as `--output json`. */
  readonly json: boolean;
  /** `--output`. */
  readonly output?: string | undefined;
  readonly quiet?: boolean;
  readonly store: string;
  /** The options of the command line that name the store, as words of a shell: `--data-dir other`. */
  readonly storeWords?: readonly string[];
  /** `false`: `--no-color`. */
  readonly color: boolean;
}

/** The valid values of `--store`. */
const STORES = ['embedded', 'aws'] as const;

/** The values of `--output`. Every command accepts `table`, which means text for people, and `json`; lists accept more. */
const OUTPUT_FORMATS = ['table', 'wide', 'csv', 'json', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** The checked settings from flags and environment. */
export interface Config {
  readonly format: OutputFormat;
  /** The format is `json`: one document on stdout, also for errors. */
  readonly json: boolean;
  /** No progress and no hints. */
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly store: (typeof STORES)[number];
  readonly dataDir: string;
  /** `auto`: color on a terminal only. */
  readonly color: 'always' | 'auto' | 'never';
  /** Whether symbols outside ASCII may be used: not if the locale names an encoding other than UTF-8. */
  readonly unicode: boolean;
  /** Whether output may be redrawn in place: not with `TERM=dumb`, and not in the log of a CI job. */
  readonly drawable: boolean;
  /** The command by which the user runs Rollcall, with the store that the command line names, for suggested commands. */
  readonly program: string;
}

/** @throws ConfigError for an unknown store or format, and for options that exclude each other. */
export function readConfig(flags: GlobalFlags, env: Environment): Config {
  const { verbose, dataDir, quiet = false, storeWords = [] } = flags;
  const format = formatOf(flags);
  const store = STORES.find((each) => each === flags.store);
  if (store === undefined) {
    const given = JSON.stringify(flags.store);
    throw new ConfigError('Usage', `--store ${given} is not a store; expected ${STORES.join(' or ')}.`);
  }
  if (dataDir.trim() === '') throw new ConfigError('Usage', '--data-dir needs the name of a directory.');
  if (quiet && verbose) throw new ConfigError('Usage', '--quiet and --verbose exclude each other; use one of them.');
  return Object.freeze({
    format,
    json: format === 'json',
    quiet,
    verbose,
    store,
    dataDir,
    color: colorOf(flags.color, env),
    unicode: isUnicode(env),
    drawable: env['TERM'] !== 'dumb' && !isOn(env['CI']),
    program: [programOf(env), ...storeWords].join(' '),
  });
}

function formatOf({ json, output }: GlobalFlags): OutputFormat {
  if (output === undefined) return json ? 'json' : 'table';
  const format = OUTPUT_FORMATS.find((each) => each === output);
  if (format === undefined) {
    const given = JSON.stringify(output);
    // `-out=plan.json` is read as `-o ut=plan.json`.
    const meant = /^ut(=|$)/.test(output) ? ' Did you mean --out?' : '';
    throw new ConfigError('Usage', `--output ${given} is not a format; expected ${OUTPUT_FORMATS.join(', ')}.${meant}`);
  }
  if (json && format !== 'json') {
    throw new ConfigError('Usage', `--json and --output ${format} exclude each other; use one of them.`);
  }
  return format;
}

/** npm scripts of the repository that run Rollcall. There, no command `rollcall` is installed. */
const FROM_CHECKOUT: ReadonlySet<string> = new Set(['start', 'rollcall']);

/** Whether npm runs Rollcall from a checkout. */
export const isCheckout = (env: Environment): boolean => FROM_CHECKOUT.has(env['npm_lifecycle_event'] ?? '');

/** The command that the user types to run Rollcall. */
export function programOf(env: Environment): string {
  if (isCheckout(env)) return 'npm run rollcall --';
  const named = packageOfNpx(env);
  return named === null ? 'rollcall' : `npx --package ${quoted(named)} rollcall`;
}

/**
 * The package that `npx --package` or `npm exec --package` runs Rollcall from. `null`: neither runs it, or the package is unknown. Without the option, npm
 * does not say which package it runs, and `npx rollcall` could run another one.
 */
function packageOfNpx(env: Environment): string | null {
  const { npm_command: command, npm_lifecycle_script: script = '', npm_config_package: named = '' } = env;
  // npx may have started a shell, whose commands inherit these variables.
  if (command !== 'exec' || !/^'?rollcall'?$/.test(script)) return null;
  return named === '' || named.includes('\n') ? null : named;
}

/** The flag takes precedence over FORCE_COLOR, and FORCE_COLOR over NO_COLOR [force-color.org, no-color.org]. */
function colorOf(flag: boolean, env: Environment): Config['color'] {
  if (!flag) return 'never';
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced === '0' || forced === 'false' ? 'never' : 'always';
  return isOn(env['NO_COLOR']) || env['TERM'] === 'dumb' ? 'never' : 'auto';
}

/** Without a locale, UTF-8 is assumed: containers and jobs rarely set a locale, and today's terminals support UTF-8. */
function isUnicode(env: Environment): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

/** The policy file if `--policy` is omitted. */
export const DEFAULT_POLICY = 'rollcall.yaml';
