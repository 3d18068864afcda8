import { expect, it } from 'vitest';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { KEEP_MS, RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { policyOf } from '../../../support/domain-kit.ts';

it('removes an old run together with its planned work, without listing that work', async () => {
  const registers = memoryRegisters();
  const listed: string[] = [];
  const watched = {
    ...registers,
    list: (prefix: string) => {
      listed.push(prefix);
      return registers.list(prefix);
    },
  };
  const runs = new RunStore(watched);
  const run = (runId: string) => ({ runId, policy: policyOf('computeOptimizer: Active'), planHash: null });
  for (const [runId, at] of [
    ['old', 0],
    ['new', KEEP_MS],
  ] as const) {
    await runs.begin(run(runId), { startedAt: at, accountsInScope: 10, planned: 1 });
    await runs.noteChanges(runId, [`${runId} change`], at);
  }
  await runs.prune(KEEP_MS + 1);
  expect(await runs.get('old')).toBeNull();
  expect(await runs.changesOf('old')).toBeNull();
  expect((await runs.get('new'))?.runId).toBe('new');
  expect(await runs.changesOf('new')).toEqual(['new change']);
  expect(listed).toEqual(['run/', 'plan/']);
});
