import { expect, it } from 'vitest';
import { ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import type { CheckpointSigner } from '../../../../shared/ports/checkpoint-signer.ts';
import { account } from '../../../contract/samples.ts';
import { checkpointBed, parsed } from './checkpoint-bed.ts';
import { memorySigner } from './checkpoint-parts.ts';
import { copied } from './log-bed.ts';

const A = account(1);

/** A log with a signed checkpoint of entries that its backup lacks. */
async function signedSinceBackup() {
  const bed = await checkpointBed();
  await bed.append(A, 3);
  await bed.scan();
  await bed.tick();
  const restore = await copied(bed);
  await bed.append(A, 2);
  await bed.scan();
  await bed.tick();
  const origins = () => bed.published().map(({ note }) => parsed(note).origin);
  return { bed, restore, origins };
}

/** Restores the store and appends entries that differ from those missing in the backup. */
async function restoredWithOthers({ bed, restore }: Awaited<ReturnType<typeof signedSinceBackup>>): Promise<void> {
  restore();
  await bed.append(ORGANIZATION_CHAIN, 1, { type: 'StoreRestored' });
  await bed.append(A, 5);
}

it('A restored log gets a new name even while the index of the audit log does not contain the restore', async () => {
  const world = await signedSinceBackup();
  const { bed, origins } = world;
  const [before] = origins();
  expect(origins()).toEqual([before, before]);
  await restoredWithOthers(world);
  const { ledger } = bed.stores;
  const lagging = Object.assign(Object.create(ledger), {
    query: async () => ({ entries: [], next: null }),
  });
  await bed.tick({}, true, { ledger: lagging });
  expect(origins()).toHaveLength(2);
  expect(origins()[0]).toBe(before);
  expect(origins()[1]).not.toBe(before);
});

it('No checkpoint is signed under the old name if a backup replaces the log while a process prepares one', async () => {
  const world = await signedSinceBackup();
  const { bed, restore, origins } = world;
  const [before] = origins();
  await bed.append(A, 2);
  const { ledger } = bed.stores;
  const signed: string[] = [];
  let isReplaced = false;
  const query: typeof ledger.query = async (filter, page) => {
    const answer = await ledger.query(filter, page);
    if (filter.type === 'StoreRestored' && !isReplaced) {
      isReplaced = true;
      await restoredWithOthers({ bed, restore, origins });
      await bed.sequence();
    }
    return answer;
  };
  await bed.tick({ signer: recording(signed) }, true, { ledger: Object.assign(Object.create(ledger), { query }) });
  expect(isReplaced).toBe(true);
  expect(signed.filter((origin) => origin === before)).toEqual([]);
  await bed.tick({ signer: recording(signed) }, true);
  expect(signed).toHaveLength(1);
  expect(signed).not.toContain(before);
});

/** A signer that notes the origin of each checkpoint that it signs. */
function recording(origins: string[]): CheckpointSigner {
  const signer = memorySigner();
  return {
    ...signer,
    sign: (message) => {
      origins.push(parsed(new TextDecoder().decode(message)).origin);
      return signer.sign(message);
    },
  };
}
