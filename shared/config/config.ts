import { ConfigError } from './config-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The flags that every command takes, as they were typed. */
export interface GlobalFlags {
  readonly json: boolean;
  readonly store: string;
  readonly dataDir: string;
  readonly verbose: boolean;
  /** `false`: `--no-color`. */
  readonly color: boolean;
}

/** What flags and environment say together, checked. */
export interface Config {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly store: 'embedded' | 'aws';
  readonly dataDir: string;
  /** `auto`: colour on a terminal only. */
  readonly color: 'always' | 'auto' | 'never';
  /** Whether a terminal can be drawn on (`TERM=dumb` cannot, a CI's log should not). */
  readonly drawable: boolean;
  /** How the user calls us, for commands that we suggest. */
  readonly program: string;
}

/** @throws ConfigError for a store that is not one. */
export function readConfig(flags: GlobalFlags, env: Environment): Config {
  const { json, verbose, store, dataDir } = flags;
  if (store !== 'embedded' && store !== 'aws') {
    throw new ConfigError('Usage', `--store ${JSON.stringify(store)} is not a store; expected embedded or aws.`);
  }
  if (dataDir.trim() === '') throw new ConfigError('Usage', '--data-dir needs the name of a directory.');
  return Object.freeze({
    json,
    verbose,
    store,
    dataDir,
    color: colorOf(flags.color, env),
    drawable: env['TERM'] !== 'dumb' && !isOn(env['CI']),
    program: FROM_CHECKOUT.has(env['npm_lifecycle_event'] ?? '') ? 'npm run rollcall --' : 'rollcall',
  });
}

/** The npm scripts of a checkout, where no `rollcall` is on the path. */
const FROM_CHECKOUT: ReadonlySet<string> = new Set(['start', 'rollcall']);

/** What the SDK and others understand: FORCE_COLOR over NO_COLOR [force-color.org, no-color.org], and a flag over both. */
function colorOf(flag: boolean, env: Environment): Config['color'] {
  if (!flag) return 'never';
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced === '0' || forced === 'false' ? 'never' : 'always';
  return isOn(env['NO_COLOR']) || env['TERM'] === 'dumb' ? 'never' : 'auto';
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

/** Where an unnamed policy is looked for. */
export const DEFAULT_POLICY = 'rollcall.yaml';
