import { expect, test } from 'vitest';
import { LogContent } from '../../../../shared/app/transparency/log-content.ts';
import { ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import { account } from '../../../contract/samples.ts';
import { toHex } from '../../domain/transparency/samples.ts';
import { expectWholeLog, logBed, naiveRoot } from './log-bed.ts';

const SIZE = 600;

/** A log of two full bundles and a partial one, with runs that end within bundles. */
async function logOfThreeBundles() {
  const bed = logBed();
  for (const [chain, count] of [
    ...[[account(1), 130] as const, [ORGANIZATION_CHAIN, 1] as const, [account(2), 300] as const],
    ...[[account(1), 100] as const, [account(3), 69] as const],
  ]) {
    await bed.append(chain, count);
    await bed.sequence();
  }
  return { bed, entries: await expectWholeLog(bed) };
}

test('the content of a log has the roots of a second implementation at every wanted size, wherever it ends within a bundle', async () => {
  const { bed, entries } = await logOfThreeBundles();
  expect(entries).toHaveLength(SIZE);
  const alone = [0, 1, 2, 255, 256, 257, 400, 511, 512, 513, 599, 600].map((size) => [size]);
  for (const sizes of [...alone, [256, 512], [300, 512], [1, 2, 300, 599]]) {
    const content = await LogContent.read(bed.stores, sizes);
    if (content === null) expect.fail('there is a log');
    const found = sizes.map((size) => toHex(content.rootAt(size) ?? expect.fail(`no root at ${size}`)));
    expect(found).toEqual(sizes.map((size) => naiveRoot(entries, size)));
    expect(toHex(content.root())).toBe(naiveRoot(entries, SIZE));
    expect(content.problems).toEqual([]);
  }
});

test('the content of a log has the hash of every entry, and no root of a size that the log does not have', async () => {
  const { bed, entries } = await logOfThreeBundles();
  const content = await LogContent.read(bed.stores, [SIZE + 1]);
  if (content === null) expect.fail('there is a log');
  expect(content.rootAt(SIZE + 1)).toBeNull();
  for (const entry of entries) {
    const [, chain = '', seq = '', hash = ''] = entry.split('\n');
    expect(content.hashOf(chain, Number(seq))).toBe(hash);
  }
});

test('a full bundle whose tile has another hash is a problem of the log, whether or not a wanted size ends within it', async () => {
  const { bed } = await logOfThreeBundles();
  const tile = await bed.stores.registers.read('log-tile/1/0');
  await bed.stores.registers.write(
    'log-tile/1/0',
    { hashes: Buffer.alloc(64, 7).toString('base64') },
    tile?.version ?? null,
  );
  for (const sizes of [[], [300]]) {
    const content = await LogContent.read(bed.stores, sizes);
    expect(content?.problems).toEqual(['tile 0 at level 1 does not have the hashes of the entries']);
  }
});
