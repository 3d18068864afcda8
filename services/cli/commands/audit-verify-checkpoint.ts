import { checkpointInNote } from '../../../shared/domain/transparency/checkpoint.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { checkKeptKey, readKeptCheckpoint, readKeptKey } from '../kept-checkpoint.ts';
import { withStore } from '../session.ts';
import { keptText } from '../ui/kept-text.ts';

/** Compares the store with a checkpoint that was kept elsewhere. @param key a file, or a verifier key */
export async function verifyKept(context: CliContext, file: string, key: string): Promise<number> {
  const { output } = context;
  const note = readKeptCheckpoint(file);
  const keyText = readKeptKey(key);
  const { readCheckpointKey, verifyCheckpoint } = await import(
    '../../../shared/app/queries/audit/verify-checkpoint.ts'
  );
  // Before the whole audit log is read.
  checkKeptKey(key, () => readCheckpointKey(keyText, checkpointInNote(note).origin));
  const result = await withStore(context, true, (store) => verifyCheckpoint(store, { note, key: keyText }));
  output.result(result, () => keptText(result, context));
  return result.ok ? EXIT.ok : EXIT.error;
}
