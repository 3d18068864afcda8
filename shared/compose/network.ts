import { environment } from '../config/environment.ts';
import { readNetworkEnv } from '../config/network-env.ts';
import type { Network } from '../domain/network.ts';

/** How this process connects. @throws ConfigError, FileError */
export const ownNetwork = (): Network => readNetworkEnv(environment());
