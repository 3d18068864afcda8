import { expect, it, onTestFinished } from 'vitest';
import { checkpointChecks } from '../../../../shared/app/doctor/checkpoint-checks.ts';
import { CHECKPOINT, NO_CHECKPOINT } from '../../../../shared/app/transparency/checkpoint-state.ts';
import { LOG } from '../../../../shared/app/transparency/log-documents.ts';
import { DAY, NOW, policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

it('the warning about entries without a checkpoint names the processes that can sign, both long-running and single commands', async () => {
  const shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active') });
  onTestFinished(() => shop.close());
  const { registers } = shop.deps();
  const log = {
    id: 'abcdefgh',
    size: 12,
    searchedUntil: NOW,
    comparedAt: NOW,
    runEnd: 10,
    backfilled: null,
    broken: [],
    restoredBy: null,
  };
  await registers.write(LOG.name, log, null);
  const newest = { note: 'note', origin: 'origin', size: 10, at: NOW, entryId: 'entry' };
  await registers.write(CHECKPOINT.name, { ...NO_CHECKPOINT, newest }, null);
  const store = { ...{ checks: [], needs: [], blocked: null, snapshot: null, eventBus: null }, close: () => undefined };
  const open = async () => ({ ...shop.store, close: async () => undefined });
  const input = { signer: null, lookAtArchive: null, wrongEnvironment: null };
  const [, , state] = checkpointChecks(input, { ...store, open }, shop.clock);
  await shop.clock.advance(DAY);
  expect(await state?.run()).toMatchObject({ status: 'pass' });
  await shop.clock.advance(DAY);
  expect(await state?.run()).toMatchObject({
    status: 'warn',
    message: expect.stringMatching(
      /; 2 newer entries are not covered\. No process has signed since: check that serve or the tick function runs with ROLLCALL_CHECKPOINT_KEY, or set it for the next apply or scan\.$/,
    ),
  });
});
