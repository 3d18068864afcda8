import { MAX_ACCOUNTS } from '../domain/page-bounds.ts';
import type { Environment } from './config.ts';
import { ConfigError } from './config-error.ts';

/** The most that `ROLLCALL_MAX_ACCOUNTS` may be: what a scan keeps of each account has to fit into memory. */
const MOST = 1_000_000;

/** `ROLLCALL_MAX_ACCOUNTS`: how many accounts an organization may have before its listing is taken for broken. @throws ConfigError */
export function readMaxAccounts(env: Environment): number {
  // An empty variable is how templates say "not set".
  const text = env['ROLLCALL_MAX_ACCOUNTS'] || String(MAX_ACCOUNTS);
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= MOST) return value;
  throw new ConfigError(
    'Environment',
    `ROLLCALL_MAX_ACCOUNTS is ${JSON.stringify(text)}; expected a whole number from 1 to ${MOST}, such as ${MAX_ACCOUNTS}.`,
  );
}
