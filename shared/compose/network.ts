import { environment } from '../config/environment.ts';
import { readNetworkEnv } from '../config/network-env.ts';
import type { Network } from '../domain/network.ts';

/** This process's network settings. @throws ConfigError, FileError */
export const ownNetwork = (): Network => readNetworkEnv(environment());
