import { expect, onTestFinished, test } from 'vitest';
import { scanEnd, scanStart } from '../../../../shared/app/queries/scan-entries.ts';
import { ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import type { Ledger, LedgerFilter } from '../../../../shared/ports/ledger.ts';
import { makeBench } from '../../../adapters/embedded/stores.ts';
import { account, sealAll, time } from '../../../contract/samples.ts';

const SECOND_MS = 1_000;

async function place() {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  const { ledger } = await bench.open();
  const asked: LedgerFilter[] = [];
  const watched: Pick<Ledger, 'query'> = {
    query: (filter, page) => {
      asked.push(filter);
      return ledger.query(filter, page);
    },
  };
  return { ledger, watched, asked };
}

test('finds the start and the end of the scan of each run with one short query', async () => {
  const { ledger, watched, asked } = await place();
  const scans = ['run-1', 'run-2'].flatMap((runId, n) => [
    { type: 'ScanStarted', runId, at: time(10 * n * SECOND_MS) } as const,
    { type: 'ScanCompleted', runId, at: time((10 * n + 5) * SECOND_MS) } as const,
  ]);
  await ledger.append([
    ...sealAll(ORGANIZATION_CHAIN, scans),
    ...sealAll(account(1), [{ runId: 'run-2', at: time(12 * SECOND_MS) }]),
  ]);
  for (const [runId, n] of [['run-1', 0] as const, ['run-2', 1] as const]) {
    const start = await scanStart(watched, runId);
    expect(start).toMatchObject({ type: 'ScanStarted', runId });
    expect(await scanEnd(watched, runId, start?.at ?? '')).toMatchObject({
      ...{ type: 'ScanCompleted', runId },
      at: time((10 * n + 5) * SECOND_MS),
    });
  }
  expect(asked).toHaveLength(4);
});

test('finds them even if a clock that is behind has put other entries first, and finds none if there are none', async () => {
  const { ledger, watched } = await place();
  const early = Array.from({ length: 10 }, (_, n) => ({ runId: 'run-1', at: time(n) }));
  await ledger.append([
    ...sealAll(account(1), early),
    ...sealAll(ORGANIZATION_CHAIN, [
      { type: 'ScanStarted', runId: 'run-1', at: time(SECOND_MS) },
      { type: 'ScanCompleted', runId: 'other', at: time(2 * SECOND_MS) },
      { type: 'ScanCompleted', runId: 'run-1', at: time(3 * SECOND_MS) },
    ]),
  ]);
  expect(await scanStart(watched, 'run-1')).toMatchObject({ type: 'ScanStarted', runId: 'run-1' });
  expect(await scanEnd(watched, 'run-1', time(SECOND_MS))).toMatchObject({ at: time(3 * SECOND_MS) });
  expect(await scanStart(watched, 'none')).toBeNull();
  expect(await scanEnd(watched, 'none', time(0))).toBeNull();
});
