import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { tilePath } from '../../../../../shared/domain/transparency/tiles.ts';
import type { Ledger } from '../../../../../shared/ports/ledger.ts';
import type { SnapshotStore } from '../../../../../shared/ports/snapshot-store.ts';
import { makeBench as makeAwsBench, type SimulatedAws, startSimulatedAws } from '../../../../adapters/aws/stores.ts';
import { makeBench } from '../../../../adapters/embedded/stores.ts';
import { account, chainOf, draft, sealAll, time } from '../../../../contract/samples.ts';
import { pack } from '../../../../support/evidence-kit.ts';
import { ORIGIN, TestLog, testKey } from '../../../../support/evidence-log.ts';
import { history, POLICY_TEXT } from './history.ts';

interface Stores {
  readonly ledger: Ledger;
  readonly snapshots: SnapshotStore;
}

let aws: SimulatedAws;
const toClose: (() => Promise<void>)[] = [];
beforeAll(async () => {
  aws = await startSimulatedAws();
});
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});
afterAll(() => aws.close());

const OPEN: Readonly<Record<string, () => Promise<Stores>>> = {
  embedded: async () => {
    const bench = makeBench();
    toClose.push(() => bench.dispose());
    return bench.open();
  },
  aws: async () => {
    const bench = await makeAwsBench(aws);
    toClose.push(() => bench.dispose());
    return bench.open();
  },
};

const PERIOD = { since: time(0), until: time(86_400_000) };
const lines = (text: string): readonly string[] => text.trimEnd().split('\n');

describe.each(Object.keys(OPEN))('evidence of a store: %s', (name) => {
  test('has every entry of the period with its index, and is the same each time', async () => {
    const stores = await (OPEN[name] ?? expect.fail())();
    const all = history();
    await stores.ledger.append(all);
    const key = testKey();
    const log = new TestLog(key);
    log.append(all.slice(0, 3));
    await log.publish(time(1));
    log.append(all.slice(3));
    await log.publish(PERIOD.until);
    const request = { ...PERIOD, log, key: key.verifier(ORIGIN) };
    const packed = await pack(stores, request);
    const found = lines(packed.text('entries.ndjson')).map((line): unknown => JSON.parse(line));
    expect(found).toHaveLength(all.length);
    expect(found).toEqual(expect.arrayContaining([...all]));
    const indexes = lines(packed.text('entries-index.txt')).map(Number);
    const sorted = found.map((_, at) => found[indexes.indexOf(at)]);
    expect(sorted).toEqual(all);
    expect(packed.names).toEqual(expect.arrayContaining(['log/checkpoint', 'log/tile/0/000.p/9', 'public-key.pem']));
    expect(packed.summary.limits).toEqual([]);
    expect((await pack(stores, request)).zip.equals(packed.zip)).toBe(true);
  });

  test('reads no leaf tile, because the log would read a bundle again for it', async () => {
    const stores = await (OPEN[name] ?? expect.fail())();
    const all = chainOf(account(1), 300);
    await stores.ledger.append(all);
    const log = new TestLog(testKey());
    log.append(all);
    await log.publish(time(400_000));
    const tiles: string[] = [];
    const packed = await pack(stores, {
      ...PERIOD,
      log: {
        ...{ newestCheckpoint: () => log.newestCheckpoint(), bundle: (index, width) => log.bundle(index, width) },
        ...{
          checkpoints: (since, until) => log.checkpoints(since, until),
          indexOf: (chain, seq) => log.indexOf(chain, seq),
        },
        tile: (tile) => {
          tiles.push(tilePath(tile));
          return log.tile(tile);
        },
      },
    });
    for (const [index, width] of [
      [0, 256],
      [1, 44],
    ] as const) {
      const path = tilePath({ level: 0, index, width });
      expect(packed.bytes(`log/${path}`)).toEqual(Buffer.from(await log.tile({ level: 0, index, width })));
    }
    expect(tiles).toEqual([tilePath({ level: 1, index: 0, width: 1 })]);
  });
});

describe('evidence', () => {
  const open = (): Promise<Stores> => (OPEN['embedded'] ?? expect.fail())();

  test('lists the SHA-256 of every other file', async () => {
    const stores = await open();
    await stores.ledger.append(history());
    const packed = await pack(stores, PERIOD);
    const sums = lines(packed.text('SHA256SUMS')).map((line) => line.split('  '));
    expect(sums.map(([, name]) => name).sort()).toEqual(packed.names.filter((name) => name !== 'SHA256SUMS').sort());
    for (const [sum, name = ''] of sums) {
      expect(createHash('sha256').update(packed.text(name)).digest('hex'), name).toBe(sum);
    }
  });

  test('has policies with their text, exemptions, approvals and changes', async () => {
    const stores = await open();
    await stores.ledger.append(history());
    const packed = await pack(stores, PERIOD);
    const [policy = ''] = packed.names.filter((name) => name.endsWith('.yaml'));
    expect(packed.text(policy)).toBe(POLICY_TEXT);
    expect(JSON.parse(packed.text('exemptions.json'))).toMatchObject({
      exemptions: [{ accounts: [account(2)], reason: 'migration freeze', grantedBy: [{ policyHash: 'c'.repeat(64) }] }],
    });
    expect(JSON.parse(packed.text('approvals.json'))).toMatchObject({
      approvals: [{ actor: 'alice', reason: 'adoption', planHash: 'd'.repeat(64) }],
    });
    const changes = lines(packed.text('changes.csv'));
    expect(changes).toHaveLength(1 + 2);
    expect(changes[1]).toContain('Drift');
    expect(changes[2]).toMatch(/Change by Rollcall.*Inactive,Active,Active,Confirmed/);
    expect(JSON.parse(packed.text('report.json'))).toMatchObject(PERIOD);
  });

  test('of a store without a checkpoint says that nothing proves it', async () => {
    const stores = await open();
    await stores.ledger.append(history());
    const packed = await pack(stores, PERIOD);
    expect(packed.summary).toMatchObject({ checkpoint: null, complete: null });
    expect(packed.summary.limits.join(' ')).toContain('ROLLCALL_CHECKPOINT_KEY');
    expect(packed.text('README.txt').replaceAll(/\s+/g, ' ')).toContain('has no signed checkpoint');
    expect(packed.names.filter((name) => name.startsWith('log/'))).toEqual([]);
  });

  test('says which entries are newer than the newest checkpoint', async () => {
    const stores = await open();
    const all = chainOf(account(1), 5);
    await stores.ledger.append(all);
    const log = new TestLog(testKey());
    log.append(all.slice(0, 3));
    await log.publish(time(2_500));
    const packed = await pack(stores, { ...PERIOD, log });
    expect(packed.summary.entries).toMatchObject({ period: 5, notCovered: 2, notCoveredFrom: time(3_000) });
    expect(packed.summary.limits[0]).toContain('does not cover 2 entries written since 2026-03-01 12:00 UTC');
    expect(packed.text('entries-index.txt')).toBe('0\n1\n2\n\n\n');
  });

  test('says which checkpoints an earlier key has signed', async () => {
    const stores = await open();
    const all = history();
    await stores.ledger.append(all);
    const [earlier, now] = [new TestLog(testKey()), testKey()];
    earlier.append(all.slice(0, 3));
    const first = await earlier.publish(time(5));
    const log = new TestLog(now);
    log.append(all);
    const last = await log.publish(PERIOD.until);
    const checkpoints = async (since: string | null, until: string | null) =>
      [first, last].filter(({ at }) => at >= (since ?? '') && (until === null || at < until));
    Object.assign(log, { checkpoints });
    const { summary } = await pack(stores, { ...PERIOD, log, key: now.verifier(ORIGIN) });
    expect(summary.limits.join('\n')).toContain('1 checkpoint of the period is signed by an earlier key');
    log.checkpoints = async () => [last];
    const one = await pack(stores, { ...PERIOD, log, key: now.verifier(ORIGIN) });
    expect(one.summary.limits.join('\n')).not.toContain('earlier key');
  });

  test('has the policy in force before the period, and entries that the log took in during it', async () => {
    const stores = await open();
    const policy = sealAll('organization', [{ type: 'PolicyChanged', at: time(-10_000), policyHash: 'c'.repeat(64) }]);
    const early = chainOf(account(1), 1);
    // The clock of its writer was behind.
    const [late] = sealAll(account(2), [{ at: time(-5_000) }]);
    if (late === undefined) throw new Error('no entry');
    await stores.ledger.append([...policy, ...early, late]);
    const log = new TestLog(testKey());
    log.append(policy);
    await log.publish(time(-9_000));
    log.append([...early, late]);
    await log.publish(PERIOD.until);
    const packed = await pack(stores, { ...PERIOD, log });
    expect(packed.summary).toMatchObject({
      entries: { period: 1, around: 2, pruned: 0 },
      complete: { from: 1, to: 3 },
    });
    expect(packed.text('entries-index.txt')).toBe('1\n0\n2\n');
  });

  test('names entries that retention has removed, with the entry that replaces them', async () => {
    const stores = await open();
    const chain = chainOf(account(1), 4);
    const through = { seq: 2, hash: chain[1]?.hash ?? '' };
    const checkpoint = { through, throughAt: time(1_000), state: null, current: null };
    const [last] = chain.slice(-1);
    if (last === undefined) throw new Error('no entry');
    const pruned = draft({ chain: account(1), type: 'ChainPruned', at: time(2 * 86_400_000), detail: { checkpoint } });
    const all = [...chain, ...sealAll(account(1), [pruned], { seq: last.seq, hash: last.hash })];
    await stores.ledger.append(all);
    await stores.ledger.prune(account(1), 2, 10);
    const log = new TestLog(testKey());
    log.append(all);
    await log.publish(time(3 * 86_400_000));
    // No entry is older than the period, so the log has to be complete from its beginning.
    const packed = await pack(stores, { ...PERIOD, log });
    expect(packed.summary.entries).toMatchObject({ period: 2, around: 1, pruned: 2 });
    expect(packed.text('entries.ndjson')).toContain('ChainPruned');
    expect(packed.summary.limits.join(' ')).toContain('Retention has removed 2 entries');
  });

  test('has only the leaf tiles of the period, and all higher tiles', async () => {
    const stores = await open();
    const all = chainOf(account(1), 1_000);
    await stores.ledger.append(all);
    const log = new TestLog(testKey('ecdsa'));
    log.append(all.slice(0, 600));
    await log.publish(time(599_500));
    log.append(all.slice(600));
    await log.publish(time(999_500));
    const packed = await pack(stores, { since: time(600_000), until: time(700_000), log });
    const tiles = packed.names.filter((name) => name.startsWith('log/tile/'));
    expect(tiles.sort()).toEqual([
      'log/tile/0/002',
      'log/tile/0/003.p/232',
      'log/tile/1/000.p/3',
      'log/tile/entries/002',
      'log/tile/entries/003.p/232',
    ]);
    expect(packed.summary).toMatchObject({ entries: { period: 100, around: 300 }, complete: { from: 600, to: 1_000 } });
  });
});
