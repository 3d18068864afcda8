import type { Check } from '../../app/doctor/run-checks.ts';
import { skipped } from '../../domain/check-result.ts';

/** Checks of a store that is not in use: they are reported as skipped. */
export function unusedChecks(store: string, ids: readonly Check['id'][]): readonly Check[] {
  return ids.map((id) => ({ id, needs: [], run: async () => skipped('notUsed', `--store ${store} is not in use`) }));
}
