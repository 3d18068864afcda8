import { createInstallation } from '../adapters/aws/installation/installation.ts';
import type { Installation } from '../ports/installation.ts';
import type { Clock } from '../ports/system.ts';
import { ownNetwork } from './network.ts';

/** The calls of `rollcall install`, with this process's network settings. @throws ConfigError, FileError */
export function openInstallation(clock: Clock): Installation {
  return createInstallation({ clock, network: ownNetwork() });
}
