import { describe, expect, onTestFinished, test } from 'vitest';
import { driftsByActor } from '../../../../shared/app/queries/drifts-by-actor.ts';
import { KnownDrifts, type KnownDriftsOptions } from '../../../../shared/app/queries/known-drifts.ts';
import type { Ledger } from '../../../../shared/ports/ledger.ts';
import { makeBench } from '../../../adapters/embedded/stores.ts';
import { account, FACET, sealAll } from '../../../contract/samples.ts';

type Place = Awaited<ReturnType<typeof place>>;

/** The drifts by actor of one process. */
function process(clock: Place['clock'], options?: KnownDriftsOptions) {
  const known = new KnownDrifts(clock, options);
  return { get: (stores: Place['stores']) => driftsByActor(stores, known, clock.now()) };
}

const HOUR_MS = 3_600_000;
const CHANGED = { joined: false, firstScan: false };
const ANN = 'arn:aws:iam::111122223333:user/ann';

async function place() {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  const { ledger } = await bench.open();
  let entries = 0;
  const counting: Ledger = {
    ...ledger,
    query: async (filter, page) => {
      const found = await ledger.query(filter, page);
      entries += found.entries.length;
      return found;
    },
  };
  /** One drift of account `n`. @param by who caused it; `null`: unknown */
  const drift = async (n: number, by: string | null, before: typeof FACET | null = FACET): Promise<void> => {
    const at = new Date(bench.clock.now()).toISOString();
    const changedBy = { actor: by ?? '', operation: 'UpdateEnrollmentStatus', at, requestId: `request-${n}` };
    const detail = by === null ? {} : { detail: { changedBy } };
    await ledger.append(sealAll(account(n), [{ at, before, after: FACET, ...detail }]));
  };
  return { clock: bench.clock, stores: { ledger: counting }, drift, read: () => entries };
}

describe('drifts by actor', () => {
  test('counts those of the last 24 hours, most frequent actor first, and reads each entry once', async () => {
    const { clock, stores, drift, read } = await place();
    await clock.advance(48 * HOUR_MS);
    const drifts = process(clock);
    await drift(1, ANN);
    await clock.advance(HOUR_MS);
    for (const n of [2, 3, 4]) await drift(n, null);
    expect(await drifts.get(stores)).toEqual({
      drifts: 4,
      actors: [
        { actor: null, ...CHANGED, drifts: 3, accounts: 3 },
        { actor: ANN, ...CHANGED, drifts: 1, accounts: 1 },
      ],
    });
    await clock.advance(HOUR_MS);
    const before = read();
    await drift(5, ANN);
    expect(await drifts.get(stores)).toMatchObject({ drifts: 5 });
    // Entries of the minute before the previous query are read again, because another process may have written more of them since.
    expect(read() - before).toBe(4);

    await clock.advance(22.5 * HOUR_MS);
    expect(await drifts.get(stores)).toMatchObject({ drifts: 4 });
    await clock.advance(24 * HOUR_MS);
    expect(await drifts.get(stores)).toEqual({ drifts: 0, actors: [] });
  });

  test('finds an entry that another process wrote a little late', async () => {
    const { clock, stores, drift } = await place();
    await clock.advance(48 * HOUR_MS);
    const drifts = process(clock);
    await drift(1, ANN);
    expect(await drifts.get(stores)).toMatchObject({ drifts: 1 });
    const at = new Date(clock.now() - 30_000).toISOString();
    await stores.ledger.append(sealAll(account(2), [{ at, before: FACET, after: FACET }]));
    expect(await drifts.get(stores)).toMatchObject({ drifts: 2 });
  });

  test('separates drift that the first scan found from drift first seen later, with the number of accounts', async () => {
    const { clock, stores, drift } = await place();
    const drifts = process(clock);
    const at = new Date(clock.now()).toISOString();
    const both = ['computeOptimizer', 'automation'] as const;
    const found = both.map((enrollment) => ({ id: enrollment, at, enrollment, before: null, after: FACET }));
    await stores.ledger.append(sealAll(account(1), found));
    expect((await drifts.get(stores)).actors).toEqual([
      { actor: null, joined: false, firstScan: true, drifts: 2, accounts: 1 },
    ]);
    await drift(2, null, null);
    await stores.ledger.append(sealAll('organization', [{ type: 'ScanCompleted', at }]));
    await clock.advance(HOUR_MS);
    await drift(3, null, null);
    await drift(4, null);
    expect((await drifts.get(stores)).actors).toEqual([
      { actor: null, joined: false, firstScan: true, drifts: 3, accounts: 2 },
      { actor: null, joined: true, firstScan: false, drifts: 1, accounts: 1 },
      { actor: null, ...CHANGED, drifts: 1, accounts: 1 },
    ]);
  });

  test('starts again after a restore', async () => {
    const { clock, stores, drift } = await place();
    await clock.advance(48 * HOUR_MS);
    let version = 'a';
    const drifts = process(clock, { version: async () => version });
    await drift(1, ANN);
    expect(await drifts.get(stores)).toMatchObject({ drifts: 1 });
    version = 'b';
    const restored = await place();
    expect(await drifts.get(restored.stores)).toEqual({ drifts: 0, actors: [] });
  });
});
