import { describe, expect, it } from 'vitest';
import { findIndex } from '../../../../shared/app/transparency/chain-places.ts';
import { Sequencer } from '../../../../shared/app/transparency/sequencer.ts';
import { canonicalJson } from '../../../../shared/domain/canonical-hash.ts';
import { account, chainOf } from '../../../contract/samples.ts';
import { copied, ENDLESS, expectWholeLog, type LogBed, logBed, loggedEntries } from './log-bed.ts';

const A = account(1);
const B = account(2);

/** Counts the calls of the registers and the ledger by name. */
function counted({ deps }: LogBed) {
  const calls: string[] = [];
  const watch = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          calls.push(`${String(name)} ${String(args[0])}`);
          return Reflect.apply(value, target, args);
        };
      },
    });
  return { calls, deps: { ...deps, ledger: watch(deps.ledger), registers: watch(deps.registers) } };
}

describe('the sequencer', () => {
  it('appends new entries chain by chain, and none twice', async () => {
    const bed = logBed();
    await bed.append(A, 3);
    await bed.append(B, 2);
    await bed.sequence();
    await bed.append(B, 1);
    await bed.append(A, 1);
    await bed.sequence();
    await bed.sequence();
    const entries = await expectWholeLog(bed);
    expect(entries.map((entry) => entry.split('\n').slice(1, 3).join(' '))).toEqual([
      ...[`${A} 1`, `${A} 2`, `${A} 3`, `${B} 1`, `${B} 2`],
      ...[`${A} 4`, `${B} 3`],
    ]);
  });

  it('fills bundles and tiles over many entries', async () => {
    const bed = logBed();
    for (let n = 0; n < 4; n += 1) {
      await bed.append(A, 300);
      await bed.append(B, 100);
      await bed.sequence();
    }
    const entries = await expectWholeLog(bed);
    expect(entries).toHaveLength(1_600);
    for (const [index, entry] of entries.entries()) {
      const [, chain = '', seq = ''] = entry.split('\n');
      expect(await findIndex(bed.stores.registers, chain, Number(seq))).toBe(index);
    }
    expect(await findIndex(bed.stores.registers, A, 1_201)).toBeNull();
    expect(await findIndex(bed.stores.registers, account(3), 1)).toBeNull();
  });

  it('finds the places of a chain with many runs of entries', async () => {
    const bed = logBed();
    for (let n = 0; n < 250; n += 1) {
      await bed.append(A, 1);
      await bed.append(B, 1);
      await bed.sequence();
    }
    await expectWholeLog(bed);
    expect((await bed.stores.registers.list('log-runs/')).map(({ name }) => name)).toEqual([
      ...[`log-runs/${A}/0`, `log-runs/${A}/1`, `log-runs/${B}/0`, `log-runs/${B}/1`],
    ]);
    const found = [];
    for (let seq = 1; seq <= 250; seq += 1) found.push(await findIndex(bed.stores.registers, B, seq));
    expect(found).toEqual(Array.from({ length: 250 }, (_, n) => 2 * n + 1));
  });

  it('makes two requests while nothing is new, and writes nothing', async () => {
    const bed = logBed();
    await bed.append(A, 3);
    const { deps, calls } = counted(bed);
    const sequencer = new Sequencer(deps);
    await sequencer.run(ENDLESS);
    await bed.clock.advance(3_600_000);
    await sequencer.run(ENDLESS);
    calls.length = 0;
    expect(await sequencer.run(ENDLESS)).toMatchObject({ complete: true, log: { size: 3, backfilled: null } });
    expect(calls).toEqual(['read log', expect.stringMatching(/^reachedSince /)]);
  });

  it('appends the entries of an older store in bounded parts', async () => {
    const bed = logBed();
    for (let n = 0; n < 100; n += 1) await bed.append(account(n), 10);
    await bed.clock.advance(86_400_000);
    let rounds = 0;
    for (let complete = false; !complete; rounds += 1) {
      const until = bed.clock.now() + 5_000;
      const ledger: typeof bed.stores.ledger = {
        ...bed.stores.ledger,
        async readStored(...args) {
          await bed.clock.advance(1_000);
          return bed.stores.ledger.readStored(...args);
        },
      };
      ({ complete } = await new Sequencer({ ...bed.deps, ledger }).run({ until }));
      expect(bed.clock.now() - until).toBeLessThan(1_000);
    }
    expect(rounds).toBe(3);
    await expectWholeLog(bed);
  });

  it.each(['log-bundle/0', `log-chain/${A}`])(
    'puts no lost entry into a restored store that does not have %s',
    async (name) => {
      const bed = logBed();
      await bed.sequence();
      const { registers } = bed.stores;
      const putBack = await copied(bed);
      await bed.append(A, 3);
      let isRestored = false;
      const replaced: typeof registers = {
        ...registers,
        async write(...args) {
          if (args[0] === name && !isRestored) {
            isRestored = true;
            putBack();
          }
          return registers.write(...args);
        },
      };
      await bed.sequence({ registers: replaced });
      expect(isRestored).toBe(true);
      await bed.append(A, 2);
      await bed.sequence();
      expect(await expectWholeLog(bed)).toHaveLength(2);
    },
  );

  it('replaces a tile of a log that a backup has replaced', async () => {
    const bed = logBed();
    await bed.stores.registers.write('log-tile/1/0', { hashes: Buffer.alloc(64, 1).toString('base64') }, null);
    await bed.append(A, 600);
    await bed.sequence();
    await expectWholeLog(bed);
  });

  it('finds an entry that was stored long after its time once a day', async () => {
    const bed = logBed();
    await bed.append(A, 1);
    await bed.sequence();
    await bed.clock.advance(3_600_000);
    await bed.sequence();
    await bed.sequence();
    await bed.append(A, 1, { at: new Date(bed.clock.now() - 1_800_000).toISOString() });
    expect((await bed.sequence()).log.size).toBe(1);
    await bed.clock.advance(86_400_000);
    await bed.sequence();
    await expectWholeLog(bed);
  });

  it('leaves a chain out from its first entry that does not follow, and appends the others', async () => {
    const bed = logBed();
    const [first, second, third] = chainOf(A, 3);
    if (first === undefined || second === undefined || third === undefined) throw new Error('three entries');
    const edited = { ...second, reason: 'edited' };
    const ledger: typeof bed.stores.ledger = {
      ...bed.stores.ledger,
      readStored: async (chain, after, limit) =>
        chain === A
          ? [first, edited, third]
              .filter(({ seq }) => seq > after)
              .map((entry) => ({ entry, text: canonicalJson(entry) }))
          : bed.stores.ledger.readStored(chain, after, limit),
    };
    await bed.append(A, 3);
    await bed.append(B, 2);
    const { log } = await new Sequencer({ ...bed.deps, ledger }).run(ENDLESS);
    expect(log).toMatchObject({ size: 3, broken: [{ chain: A, seq: 2, problem: expect.stringContaining('hash') }] });
    expect(await loggedEntries(bed.stores.registers)).toHaveLength(3);
  });
});
