import { readMaxAccounts } from '../config/bounds-env.ts';
import { environment } from '../config/environment.ts';

/** How many accounts this process accepts in an organization. @throws ConfigError */
export const ownMaxAccounts = (): number => readMaxAccounts(environment());
