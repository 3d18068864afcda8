import { ConfigError } from './config-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The flags that every command accepts, before they are checked. */
export interface GlobalFlags extends Pick<Config, 'json' | 'dataDir' | 'verbose'> {
  readonly store: string;
  /** `false`: `--no-color`. */
  readonly color: boolean;
}

/** The valid values of `--store`. */
const STORES = ['embedded', 'aws'] as const;

/** The checked settings from flags and environment. */
export interface Config {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly store: (typeof STORES)[number];
  readonly dataDir: string;
  /** `auto`: color on a terminal only. */
  readonly color: 'always' | 'auto' | 'never';
  /** Whether symbols outside ASCII may be used: not if the locale says that its characters are not UTF-8. */
  readonly unicode: boolean;
  /** Whether output may be redrawn in place: not with `TERM=dumb`, and not in the log of a CI job. */
  readonly drawable: boolean;
  /** The command by which the user runs Rollcall, for suggested commands. */
  readonly program: string;
}

/** @throws ConfigError for an unknown store. */
export function readConfig(flags: GlobalFlags, env: Environment): Config {
  const { json, verbose, dataDir } = flags;
  const store = STORES.find((each) => each === flags.store);
  if (store === undefined) {
    const given = JSON.stringify(flags.store);
    throw new ConfigError('Usage', `--store ${given} is not a store; expected ${STORES.join(' or ')}.`);
  }
  if (dataDir.trim() === '') throw new ConfigError('Usage', '--data-dir needs the name of a directory.');
  return Object.freeze({
    json,
    verbose,
    store,
    dataDir,
    color: colorOf(flags.color, env),
    unicode: isUnicode(env),
    drawable: env['TERM'] !== 'dumb' && !isOn(env['CI']),
    program: FROM_CHECKOUT.has(env['npm_lifecycle_event'] ?? '') ? 'npm run rollcall --' : 'rollcall',
  });
}

/** npm scripts of the repository that run Rollcall. There, no command `rollcall` is installed. */
const FROM_CHECKOUT: ReadonlySet<string> = new Set(['start', 'rollcall']);

/** The flag takes precedence over FORCE_COLOR, and FORCE_COLOR over NO_COLOR [force-color.org, no-color.org]. */
function colorOf(flag: boolean, env: Environment): Config['color'] {
  if (!flag) return 'never';
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced === '0' || forced === 'false' ? 'never' : 'always';
  return isOn(env['NO_COLOR']) || env['TERM'] === 'dumb' ? 'never' : 'auto';
}

/** A locale that is not set says nothing about the terminal: containers and jobs rarely set one, and today's terminals read UTF-8. */
function isUnicode(env: Environment): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

/** The policy file if `--policy` is omitted. */
export const DEFAULT_POLICY = 'rollcall.yaml';
