import type { VerifyCheckpointResult } from '../../../shared/app/queries/audit/verify-checkpoint.ts';
import type { CliContext } from '../context.ts';
import { oneLine } from './table.ts';
import { storeText } from './verify-text.ts';
import { hang } from './wrap.ts';

type Outcome = VerifyCheckpointResult['checkpoint']['outcome'];

/** Whether the store is intact, and how it compares with a checkpoint that was kept elsewhere. */
export function keptText(
  result: VerifyCheckpointResult,
  context: Pick<CliContext, 'output' | 'store'>,
): readonly string[] {
  const { style, width } = context.output;
  const { outcome, message, difference } = result.checkpoint;
  const first = difference?.first ?? null;
  const mark = outcome === 'consistent' ? style('green', '✓') : style('red', '✗');
  const ok = result.faults.length === 0 && (result.log?.problems ?? []).length === 0;
  // Omits the result for the newest checkpoint of the store: a match there would read as if the kept checkpoint matched.
  const log = outcome === 'consistent' || result.log === null ? result.log : { ...result.log, newest: null };
  return [
    ...storeText({ ...result, ok, log }, context),
    ...hang(`${mark} `, oneLine(message), width),
    ...adviceFor(outcome, context.store, first === null ? null : `${first.chain}#${first.seq}`).flatMap((line) =>
      hang('  ', line, width),
    ),
  ];
}

function adviceFor(
  outcome: Outcome,
  { label, earlierCopy }: Pick<CliContext['store'], 'label' | 'earlierCopy'>,
  entry: string | null,
): readonly string[] {
  switch (outcome) {
    case 'consistent':
      return [];
    case 'shorter':
    case 'differs':
      return [
        `Copy the store (${label}) before you do anything else${entry === null ? '' : `, then: rollcall audit show ${entry}`}`,
        `Compare it with ${earlierCopy}, and with the entries that were published or exported before.`,
      ];
    case 'otherLog':
      return [
        'Nothing was compared. Choose the store of this checkpoint (--data-dir, --store), or use a checkpoint of this store.',
      ];
    case 'otherKey':
      return ['Nothing was compared. Use the public key of the log of this checkpoint, from a source that you trust.'];
    case 'wrongSignature':
      return [
        'Nothing was compared. Get the checkpoint again from the place where it was kept; a copy must have every byte.',
      ];
  }
}
