import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LedgerWriter } from '../../../shared/app/ledger/ledger-writer.ts';
import { caughtUp } from '../../../shared/app/ledger/write-entries.ts';
import { account, draft, FACET } from '../../contract/samples.ts';
import {
  at,
  bench,
  copy,
  deps,
  expectWhole,
  reopen,
  restore,
  started,
  store,
  succeeded,
  useStoreAndBackup,
  write,
} from './restored-store.ts';

useStoreAndBackup();

describe('a restored store', () => {
  it('keeps accounts contested, and changes in progress claimed under the same intent', async () => {
    await write(account(1), { after: FACET });
    await store.backup(copy);
    await write(account(1), {
      type: 'FlapDetected',
      after: { ...FACET, verdict: 'Blocked', reason: 'contested' },
      detail: { message: 'set back 3 times' },
    });
    await write(account(2), { after: FACET }, started('under-way'));
    const { report } = await restore();
    expect(report).toMatchObject({ contested: 1, underWay: 1 });
    const ledger = new LedgerWriter(deps());
    const [one, two] = await Promise.all(
      [account(1), account(2)].map(async (id) => caughtUp(deps(), await ledger.current(id))),
    );
    expect(one?.conditions.computeOptimizer?.contested).toMatchObject({ message: 'set back 3 times' });
    expect(two?.conditions.computeOptimizer?.claim).toMatchObject({ entryId: 'under-way' });
    // The worker that made the call closes the claim as usual.
    const closed = await ledger.write(account(2), () => [
      draft({ chain: account(2), at: at(), id: 'closed', ...succeeded('under-way') }),
    ]);
    expect(closed.record.conditions.computeOptimizer?.claim).toBeNull();
    await expectWhole();
  });

  describe('whose backup has a change in progress, and the replaced store a later one', () => {
    const restoredChain = async (): Promise<unknown> => {
      expect((await restore()).report.underWay).toBe(1);
      await expectWhole();
      const entries = await store.ledger.read(account(1), 1, 10);
      return entries.map(({ type, id, detail }) => [type, detail?.intentId ?? id]);
    };

    it('records the outcome of the first before it claims the later one', async () => {
      await write(account(1), { after: FACET }, started('first'));
      await store.backup(copy);
      await write(account(1), succeeded('first'), { after: FACET }, started('later'));
      expect(await restoredChain()).toEqual([
        ['RemediationStarted', 'first'],
        ['RemediationSucceeded', 'first'],
        ['RemediationStarted', 'later'],
      ]);
    });

    it('records the first as failed with an unknown result if the replaced store lacks its outcome', async () => {
      await write(account(1), { after: FACET }, started('first', true));
      await store.backup(copy);
      await store.close();
      rmSync(bench.dataDir, { recursive: true });
      await reopen();
      await write(account(1), { after: FACET }, started('later'));
      expect(await restoredChain()).toEqual([
        ['RemediationStarted', 'first'],
        ['RemediationFailed', 'first'],
        ['RemediationStarted', 'later'],
      ]);
      const [failed] = await store.ledger.read(account(1), 2, 1);
      expect(failed).toMatchObject({ actor: 'user:ben', detail: { optOut: true } });
      expect(failed?.detail?.message).toMatch(/not known whether the account was changed/);
    });
  });
});
