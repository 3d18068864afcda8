import { hasCredentials } from '../../config/aws-environment.ts';
import type { Environment } from '../../config/config.ts';
import { StoreError } from '../../ports/store-error.ts';
import type { Clock } from '../../ports/system.ts';
import type { LocalStore, OpenOptions, StoreProfile } from './profile.ts';

/** The profile of the embedded store, which is one file in `dataDir`. */
export function embeddedStore(
  dataDir: string,
  { env = {}, ...limits }: { readonly maxPages?: number; readonly env?: Environment } = {},
): StoreProfile {
  const open = async ({ clock, newId, readOnly, create = false }: OpenOptions): Promise<LocalStore> => {
    const { openStore } = await import('./open-embedded.ts');
    return openStore({ ...limits, dataDir, clock, readOnly, create, ...(newId !== undefined && { newId }) });
  };
  return {
    label: dataDir,
    earlierCopy: 'a backup',
    local: true,
    reserveMs: 100,
    outboxLagMs: 0,
    accountsAgeMs: 1_000,
    pollMs: 1_000,
    backup: { dataDir, open },
    eventBus: async () => null,
    open,
    upgrade: (clock) => upgrade(open, clock),
    isMissing: (error) => error instanceof StoreError && error.code === 'NotFound',
    async operator() {
      // Without these settings, the SDK would search the network for credentials.
      if (!hasCredentials(env)) return null;
      const { ownArn } = await import('../own-arn.ts');
      return ownArn();
    },
    async doctor(options) {
      const { embeddedDoctor } = await import('./embedded-doctor.ts');
      return embeddedDoctor(dataDir, options);
    },
  };
}

async function upgrade(open: (options: OpenOptions) => Promise<LocalStore>, clock: Clock): Promise<void> {
  try {
    await (await open({ clock, readOnly: true })).close();
  } catch (error) {
    if (!(error instanceof StoreError) || (error.code !== 'OlderVersion' && error.code !== 'NotFound')) throw error;
    // Opening the store for writing migrates it.
    if (error.code === 'OlderVersion') await (await open({ clock, readOnly: false })).close();
  }
}
