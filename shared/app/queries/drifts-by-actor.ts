import type * as z from 'zod';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Stores } from '../context.ts';
import type { overviewAnswer } from './answers/overview.ts';
import type { KnownDrift, KnownDrifts } from './known-drifts.ts';

const DAY_MS = 24 * 3_600_000;
const MOST_ACTORS = 8;

type Actors = z.infer<typeof overviewAnswer>['changedBy']['actors'];

/** Whose changes caused the drift of the last 24 hours. */
export async function driftsByActor(
  { ledger }: Pick<Stores, 'ledger'>,
  known: KnownDrifts,
  now: EpochMs,
): Promise<z.infer<typeof overviewAnswer>['changedBy']> {
  const { drifts } = await known.since(ledger, now - DAY_MS);
  const scanned = await firstScanEnd(ledger);
  const groups = new Map<string, Omit<Actors[number], 'drifts' | 'accounts'> & { readonly of: KnownDrift[] }>();
  for (const drift of drifts) {
    const { caller: actor, at, isFirstSeen } = drift;
    const firstScan = isFirstSeen && (scanned === null || at <= scanned);
    const joined = isFirstSeen && !firstScan;
    const key = `${joined} ${firstScan} ${actor}`;
    const group = groups.get(key) ?? { actor, joined, firstScan, of: [] };
    group.of.push(drift);
    groups.set(key, group);
  }
  const actors = [...groups.values()].map(({ of, ...group }) => {
    return { ...group, drifts: of.length, accounts: new Set(of.map(({ accountId }) => accountId)).size };
  });
  return { drifts: drifts.length, actors: actors.sort((a, b) => b.drifts - a.drifts).slice(0, MOST_ACTORS) };
}
/** When the first scan was complete, epoch ms; `null`: none is. */
async function firstScanEnd(ledger: Pick<Stores['ledger'], 'query'>): Promise<EpochMs | null> {
  const { entries } = await ledger.query({ type: 'ScanCompleted' }, { limit: 1, order: 'oldestFirst' });
  const [first] = entries;
  return first === undefined ? null : Date.parse(first.at);
}
