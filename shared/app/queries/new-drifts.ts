import type { Ledger } from '../../ports/ledger.ts';
import { entriesOf } from './audit/all-entries.ts';

/** How many drifts a run observed first. */
export async function newDriftsOf(ledger: Pick<Ledger, 'query'>, runId: string): Promise<number> {
  let found = 0;
  for await (const _ of entriesOf(ledger, { runId, type: 'DriftDetected' }, { limit: 1_000 })) found += 1;
  return found;
}
