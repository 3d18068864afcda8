import { expect } from 'vitest';
import { ORGANIZATION } from '../../../../../shared/app/coordination/organization-binding.ts';
import { writeTyped } from '../../../../../shared/app/coordination/typed-register.ts';
import { verifyCheckpoint, verifyCheckpointSchema } from '../../../../../shared/app/queries/audit/verify-checkpoint.ts';
import { newestCheckpoint } from '../../../../../shared/app/transparency/log-reader.ts';
import { TransparencyLog } from '../../../../../shared/app/transparency/transparency-log.ts';
import { writeVerifierKey } from '../../../../../shared/domain/transparency/verifier-key.ts';
import type { Logger } from '../../../../../shared/ports/system.ts';
import { account } from '../../../../contract/samples.ts';
import { keyNamed, memorySigner } from '../../transparency/checkpoint-parts.ts';
import { copied, type LogBed, logBed } from '../../transparency/log-bed.ts';

export const A = account(1);
export const B = account(2);
export const DAY = 86_400_000;
const silent = () => undefined;
const logger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

export const treeHead = (note: string) => ({ note, previous: null, proof: [], witnesses: [] });

export type Bed = LogBed & { readonly publish: () => Promise<string> };

export async function newBed(organizationId = 'o-7f3a9c2e1d'): Promise<Bed> {
  const bed = logBed();
  const { stores, clock, deps } = bed;
  await writeTyped(stores.registers, ORGANIZATION, { organizationId, boundAt: 0, by: 'test' }, null);
  const log = new TransparencyLog({ ...deps, ...stores, logger }, 0);
  const checkpointing = async () => ({ signer: memorySigner(), archive: null, witnesses: [] });
  return {
    ...bed,
    /** Publishes a checkpoint that covers all entries. @returns its note */
    async publish() {
      await clock.advance(DAY);
      await log.run(checkpointing, { until: clock.now() + 5_000, last: true });
      return (await newestCheckpoint(stores))?.note ?? expect.fail('no checkpoint');
    },
  };
}

/** A log with four checkpoints, of 300, 306, 312 and 318 entries. @param reason the reason of the entry at index 308 */
export async function history(reason = 'as it was'): Promise<{ readonly bed: Bed; readonly notes: readonly string[] }> {
  const bed = await newBed();
  await bed.append(A, 200);
  await bed.append(B, 100);
  const notes = [await bed.publish()];
  for (let n = 0; n < 3; n += 1) {
    await bed.append(A, 2);
    await bed.append(B, 3, n === 1 ? { reason } : {});
    notes.push(await bed.publish());
  }
  return { bed, notes };
}

/** A store with 5 entries and a checkpoint, then 7 more entries and another. @returns the later note, and a function that puts the earlier store back */
export async function copiedBeforeCheckpoint(bed: Bed) {
  await bed.append(A, 5);
  await bed.publish();
  const putBack = await copied(bed);
  await bed.append(A, 7);
  return { putBack, note: await bed.publish() };
}

export async function verifyKept({ stores }: Pick<Bed, 'stores'>, note: string, key = keyOf(note)) {
  const result = await verifyCheckpoint(stores, { note, key });
  expect(verifyCheckpointSchema.parse(result)).toEqual(result);
  return result;
}

const keyOf = (note: string): string => writeVerifierKey(keyNamed(note.split('\n')[0] ?? ''));
