import { expect, test } from 'vitest';
import { Output } from '../../../services/cli/ui/output.ts';
import { storeText } from '../../../services/cli/ui/verify-text.ts';
import { embeddedStore } from '../../../shared/compose/stores/embedded.ts';
import { streams } from './support.ts';

/** @param lacks how many entries the log is behind its newest checkpoint */
function lastLine(lacks: number): string | undefined {
  const { out, err } = streams();
  const output = new Output(out, err, { json: false, color: 'never' });
  const newest = { at: '2026-03-01T06:00:00.000Z', origin: 'rollcall/o-7f3a9c2e1d/abcdefgh', size: 9, lacks };
  const log = { id: 'zyxwvuts', size: 9 - lacks, root: '', compared: 9 - lacks, waiting: 0, checkpoints: 0, newest };
  const counts = { chains: 2, entries: 9, pruned: 0, digests: [] };
  const result = { ok: true, fault: null, faults: [], ...counts, log: { ...log, problems: [] } };
  return storeText(result, { output, store: embeddedStore('.rollcall') }).at(-1);
}

test.each([
  [0, 'different entries from those that checkpoint covers'],
  [1, '1 fewer entry than that checkpoint covers'],
  [3, '3 fewer entries than that checkpoint covers'],
])('a restored log that lacks %i entries is compared with the newest checkpoint', (lacks, words) => {
  expect(lastLine(lacks)).toBe(
    `- The newest signed checkpoint, of 2026-03-01 06:00 UTC, belongs to the log from before the store was restored. The log now has ${words}.`,
  );
});
