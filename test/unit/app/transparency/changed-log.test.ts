import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { logReader } from '../../../../shared/app/transparency/log-reader.ts';
import { ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import { account } from '../../../contract/samples.ts';
import { checkpointBed, parsed } from './checkpoint-bed.ts';
import { memoryArchive } from './checkpoint-parts.ts';
import { copied } from './log-bed.ts';

const A = account(1);
const HOUR = 3_600_000;

describe('a checkpoint of a log that was changed', () => {
  it('is refused if the log was rewritten', async () => {
    const bed = await checkpointBed();
    await bed.append(A, 5);
    await bed.tick();
    const { registers } = bed.stores;
    const bundle = await registers.read('log-bundle/0');
    const other = { runs: [[A, 1, 6]], hashes: Buffer.alloc(192).toString('base64') };
    await registers.write('log-bundle/0', other, bundle?.version ?? null);
    await bed.scan();
    await bed.clock.advance(60_000);
    await bed.tick();
    expect(bed.published()).toHaveLength(1);
    expect((await bed.status()).refused?.message).toMatch(
      /^the last checkpoint covers 5 entries, and the log has other entries there: it was rewritten\. If the store was restored /,
    );
  });

  it('is refused if somebody also changed the name of the log, which only a restore does', async () => {
    const bed = await checkpointBed();
    await bed.append(A, 5);
    await bed.tick();
    const { registers } = bed.stores;
    const [bundle, log] = [await registers.read('log-bundle/0'), await registers.read('log')];
    const other = { runs: [[A, 1, 6]], hashes: Buffer.alloc(192).toString('base64') };
    await registers.write('log-bundle/0', other, bundle?.version ?? null);
    const state = z.looseObject({}).parse(log?.value);
    await registers.write('log', { ...state, id: 'aaaaaaaa' }, log?.version ?? null);
    await bed.scan();
    await bed.clock.advance(60_000);
    await bed.tick();
    expect(bed.published()).toHaveLength(1);
    expect((await bed.status()).refused?.message).toContain('it was rewritten');
  });

  it('continues as another log after a restore', async () => {
    const bed = await checkpointBed();
    const archive = memoryArchive();
    await bed.append(A, 3);
    await bed.tick({ archive });
    const putBack = await copied(bed);
    await bed.append(A, 3);
    await bed.scan();
    await bed.tick({ archive });
    putBack();
    await bed.append(ORGANIZATION_CHAIN, 1, { type: 'StoreRestored' });
    await bed.clock.advance(HOUR);
    await bed.tick({ archive });
    const [first, after] = bed.published();
    expect(bed.published()).toHaveLength(2);
    expect(parsed(after?.note ?? '').origin).not.toBe(parsed(first?.note ?? '').origin);
    expect(after?.previous).toBe(first?.note);
    expect(archive.kept).toHaveLength(3);
    expect((await logReader(bed.stores).newestCheckpoint())?.origin).toBe(parsed(after?.note ?? '').origin);
  });
});
