import { MAX_ACCOUNTS } from '../domain/page-bounds.ts';
import type { Environment } from './config.ts';
import { ConfigError } from './config-error.ts';

/** The largest accepted value. A scan keeps data of every account in memory. */
const MOST = 1_000_000;

/** `ROLLCALL_MAX_ACCOUNTS`: the maximum number of accounts in an organization. @throws ConfigError */
export function readMaxAccounts(env: Environment): number {
  // Deployment templates set a variable to an empty text instead of leaving it out.
  const text = env['ROLLCALL_MAX_ACCOUNTS'] || String(MAX_ACCOUNTS);
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= MOST) return value;
  const expected = `a whole number from 1 to ${MOST}, such as ${MAX_ACCOUNTS}`;
  throw new ConfigError('Environment', `ROLLCALL_MAX_ACCOUNTS is ${JSON.stringify(text)}; expected ${expected}.`);
}
