import type { CheckpointReport, ShownCheckpoint } from '../../../shared/app/queries/audit/checkpoint.ts';
import { CommandError } from '../errors.ts';
import { oneLine } from './table.ts';
import { ago, count, instant, number } from './words.ts';

/** What a checkpoint covers, when it was published, and who has signed it. */
export function checkpointText(checkpoint: ShownCheckpoint, { logSize }: CheckpointReport, now: number): string {
  const { origin, size, at, keyId, witnesses } = checkpoint;
  const all = logSize === null || logSize < size ? number(size) : `${number(size)} of ${number(logSize)}`;
  const cosigned = witnesses.length === 0 ? '' : `, cosigned by ${witnesses.join(', ')}`;
  return oneLine(
    `Covers the first ${all} entries of the log ${origin}. Published ${instant(at)} (${ago(at, now)}), signed by its key ${keyId}${cosigned}.`,
  );
}

const PROBLEMS: Readonly<Record<CheckpointReport['problems'][number]['kind'], string>> = {
  refused: 'no newer checkpoint is signed',
  unsigned: 'no newer checkpoint is signed',
  unarchived: 'it is not in the archive',
};

/** Why newer checkpoints are not signed or archived. */
export function problemTexts({ problems }: Pick<CheckpointReport, 'problems'>): readonly string[] {
  return problems.map(({ kind, at, message }) =>
    oneLine(`warning: ${PROBLEMS[kind]} (last attempt ${instant(at)}): ${message}`),
  );
}

const FIRST = 'CheckpointMissing';
const NEXT_RUN =
  'serve signs the first one within a minute, apply and scan when they end, and the deployed functions at the next tick.';

/** Why the store has no checkpoint, and what to do. @param hasKey this command sees the setting of a key */
export function noCheckpoint({ logSize, problems }: CheckpointReport, hasKey: boolean): CommandError {
  const refusal = problems.find(({ kind }) => kind !== 'unarchived');
  if (refusal !== undefined) {
    const message = `no checkpoint is signed (last attempt ${instant(refusal.at)})`;
    return new CommandError(FIRST, message, { hints: [oneLine(refusal.message)] });
  }
  const has =
    logSize === null ? 'The store has no transparency log yet' : `The log has ${count(logSize, 'entry', 'entries')}`;
  if (hasKey) {
    return new CommandError(FIRST, 'no checkpoint has been signed yet', { hints: [`${has}: ${NEXT_RUN}`] });
  }
  return new CommandError(FIRST, 'no checkpoint has been signed, because no key is configured', {
    hints: [
      'Create a key: rollcall audit checkpoint --new-key FILE',
      `Then set ROLLCALL_CHECKPOINT_KEY=FILE (or awskms:KEY_ID) for the processes that sign checkpoints. ${has}: ${NEXT_RUN}`,
    ],
  });
}
