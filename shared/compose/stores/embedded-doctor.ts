import { lookAtEmbedded } from '../../adapters/embedded/doctor.ts';
import { systemRandom } from '../../adapters/system/random.ts';
import type { StoreDoctor } from '../../app/doctor/store-checks.ts';
import { skipped } from '../../domain/check-result.ts';
import { StoreError } from '../../ports/store-error.ts';
import { openStore } from './open-embedded.ts';
import type { StoreDoctorOptions } from './profile.ts';
import { unusedChecks } from './unused-checks.ts';

export function embeddedDoctor(dataDir: string, { clock }: StoreDoctorOptions): StoreDoctor {
  const look = lookAtEmbedded(dataDir, { clock, random: systemRandom });
  const open = () => openStore({ dataDir, clock, readOnly: true, create: false });
  return {
    checks: [
      { id: 'dataDirectory', needs: [], run: look.dataDirectory },
      { id: 'database', needs: ['dataDirectory'], run: look.database },
      { id: 'writeAheadLog', needs: ['dataDirectory'], run: look.writeAheadLog },
      { id: 'disk', needs: [], run: look.disk },
      ...unusedChecks('aws', ['table']),
      { id: 'clock', needs: [], run: async () => skipped('notUsed', 'all processes of this store share this clock') },
      ...unusedChecks('aws', ['queue']),
    ],
    needs: ['database'],
    blocked: null,
    open,
    snapshot: {
      async load() {
        try {
          const opened = await open();
          try {
            return await opened.snapshots.load();
          } finally {
            await opened.close();
          }
        } catch (error) {
          // The store's own checks report what is wrong with it.
          if (error instanceof StoreError) return null;
          throw error;
        }
      },
    },
    eventBus: null,
    close: () => undefined,
  };
}
