import { describe, expect, it } from 'vitest';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { ScanProgress } from '../../../../shared/app/scan/checkpoint.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';

const RUN = 'run-1';
const [EARLIER, LATER] = [1_000, 2_000];

/** The progress of a run with three parts, each with one response. */
async function savedIn(registers: Registers): Promise<ScanProgress> {
  const progress = await ScanProgress.load(registers, RUN);
  progress.begunAt(EARLIER);
  for (const part of ['first', 'second', 'third']) {
    progress.put(part, part);
    await progress.save();
  }
  return progress;
}

describe('the progress of a scan', () => {
  it('still says how old its responses are if the process ends while they are removed', async () => {
    const registers = memoryRegisters();
    const progress = await savedIn(registers);
    for (let removals = 0; removals < 3; removals += 1) {
      let left = 1;
      const remove: Registers['remove'] = async (name, version) => {
        if (left === 0) throw new Error('the process has ended');
        left -= 1;
        return registers.remove(name, version);
      };
      const dying = await ScanProgress.load({ ...registers, remove }, RUN);
      await dying.clear().catch(() => undefined);
      const next = await ScanProgress.load(registers, RUN);
      expect(next.size).toBe(2 - removals);
      expect(next.begunAt(LATER)).toBe(removals < 2 ? EARLIER : LATER);
    }
    expect(progress.size).toBe(3);
  });

  it('is not used if nobody knows how old it is', async () => {
    const registers = memoryRegisters();
    await savedIn(registers);
    const [first] = await registers.list('checkpoint/');
    if (first === undefined) expect.fail('nothing was saved');
    await registers.remove(first.name, first.version);
    const next = await ScanProgress.load(registers, RUN);
    expect(next.size).toBe(0);
    expect(next.begunAt(LATER)).toBe(LATER);
    next.put('first', 'again');
    await next.save();
    expect((await ScanProgress.load(registers, RUN)).get('first')).toBe('again');
  });
});
