import { expect } from 'vitest';
import { ORGANIZATION } from '../../../../shared/app/coordination/organization-binding.ts';
import { writeTyped } from '../../../../shared/app/coordination/typed-register.ts';
import { logStatus } from '../../../../shared/app/transparency/checkpoint-state.ts';
import type { Checkpointing } from '../../../../shared/app/transparency/checkpointing.ts';
import { TransparencyLog } from '../../../../shared/app/transparency/transparency-log.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import type { Logger } from '../../../../shared/ports/system.ts';
import { memorySigner } from './checkpoint-parts.ts';
import { logBed } from './log-bed.ts';

export const ORGANIZATION_ID = 'o-7f3a9c2e1d';

/** A log whose checkpoints are signed with a key in memory. */
export async function checkpointBed() {
  const bed = logBed();
  const { stores, clock, deps } = bed;
  const bound = { organizationId: ORGANIZATION_ID, boundAt: 0, by: 'test' };
  await writeTyped(stores.registers, ORGANIZATION, bound, null);
  const logged: string[] = [];
  const note = (message: string, fields = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const own: Checkpointing = { signer: memorySigner(), archive: null, witnesses: [] };
  const all = { ...deps, ...stores, logger };
  const log = new TransparencyLog(all, 0);
  return {
    ...bed,
    logged,
    /** One run of the maintenance task. */
    tick: (parts: Partial<Checkpointing> = {}, last = false, over: Partial<typeof all> = {}) =>
      (Object.keys(over).length === 0 ? log : new TransparencyLog({ ...all, ...over }, 0)).run(
        async () => ({ ...own, ...parts }),
        { until: clock.now() + 5_000, last },
      ),
    published: () => entriesOfType(stores.inside.chains.get(ORGANIZATION_CHAIN) ?? []),
    status: () => logStatus(stores.registers),
    scan: () => bed.append(ORGANIZATION_CHAIN, 1, { type: 'ScanCompleted' }),
  };
}

const entriesOfType = (entries: readonly LedgerEntry[]) =>
  entries.filter(({ type }) => type === 'CheckpointPublished').map(({ detail }) => detail?.treeHead ?? expect.fail());

/** The first line of a note. */
export function parsed(note: string): { readonly origin: string } {
  return { origin: note.split('\n')[0] ?? '' };
}
