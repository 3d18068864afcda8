import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readTyped } from '../../shared/app/coordination/typed-register.ts';
import { LOG } from '../../shared/app/transparency/log-documents.ts';
import { Sequencer } from '../../shared/app/transparency/sequencer.ts';
import { storedNodes } from '../../shared/app/transparency/stored-tree.ts';
import { rootOf } from '../../shared/domain/transparency/tree.ts';
import type { Registers } from '../../shared/ports/registers.ts';
import { account } from '../contract/samples.ts';
import { ENDLESS, expectWholeLog, type LogBed, logBed, naiveRoot } from '../unit/app/transparency/log-bed.ts';
import { toHex } from '../unit/domain/transparency/samples.ts';

class Crash extends Error {}

/** A holder of the lease: when it crashes, and how its requests are spread between those of the other. */
interface Holder {
  /** It crashes at this write; `null`: never. */
  readonly crashAt: number | null;
  /** Whether that write is stored. */
  readonly stored: boolean;
  /** How long it waits before each request, in turns of the event loop. */
  readonly waits: readonly number[];
}

/** Registers as a holder sees them. It never finds the lease taken, as after a pause that was longer than the lease. */
function registersOf(registers: Registers, { crashAt, stored, waits }: Holder): Registers {
  let writes = 0;
  let requests = 0;
  const turn = async (): Promise<void> => {
    const count = waits[requests++ % waits.length] ?? 0;
    for (let n = 0; n < count; n += 1) await Promise.resolve();
  };
  const isLease = (name: string): boolean => name.startsWith('lease/');
  return {
    async read(name) {
      await turn();
      return isLease(name) ? null : registers.read(name);
    },
    async write(name, value, expected) {
      await turn();
      if (isLease(name)) return 'held';
      writes += 1;
      if (crashAt === null || writes < crashAt) return registers.write(name, value, expected);
      if (writes === crashAt && stored) await registers.write(name, value, expected);
      throw new Crash();
    },
    remove: async (name, expected) => isLease(name) || registers.remove(name, expected),
    list: registers.list,
  };
}

const holder: fc.Arbitrary<Holder> = fc.record({
  crashAt: fc.option(fc.integer({ min: 1, max: 12 })),
  stored: fc.boolean(),
  waits: fc.array(fc.nat(5), { minLength: 1, maxLength: 7 }),
});
interface Round {
  readonly appended: readonly (readonly [chain: number, count: number])[];
  readonly holders: readonly Holder[];
  readonly minutes: number;
}

const round: fc.Arbitrary<Round> = fc.record({
  appended: fc.array(fc.tuple(fc.nat(4), fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(150))), { maxLength: 4 }),
  holders: fc.array(holder, { minLength: 1, maxLength: 2 }),
  minutes: fc.nat(10),
});

async function play(bed: LogBed, { appended, holders, minutes }: Round) {
  for (const [chain, count] of appended) await bed.append(account(chain), count);
  await Promise.all(
    holders.map(async (each) => {
      try {
        await new Sequencer({ ...bed.deps, registers: registersOf(bed.stores.registers, each) }).run(ENDLESS);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
    }),
  );
  await bed.clock.advance(minutes * 60_000);
}

it('neither crashes nor two processes at the same time fork the log, or lose an entry', {
  timeout: 180_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), async (rounds) => {
      const bed = logBed();
      const heads: { size: number; root: string }[] = [];
      for (const each of rounds) {
        await play(bed, each);
        const size = (await readTyped(bed.stores.registers, LOG))?.value.size ?? 0;
        heads.push({ size, root: toHex(await rootOf(size, storedNodes(bed.stores.registers, size))) });
      }
      await bed.clock.advance(86_400_000);
      await bed.sequence();
      const entries = await expectWholeLog(bed);
      for (const { size, root } of heads) expect(root, `the first ${size} entries`).toBe(naiveRoot(entries, size));
    }),
    { numRuns: 75 },
  );
});
