import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { backupOf, usingIt } from '../session.ts';

export async function runBackup(context: CliContext, file: string): Promise<number> {
  const { output, clock } = context;
  const { dataDir, open } = backupOf(context, 'backup');
  await usingIt(await open({ clock, readOnly: true }), (store) => store.backup(file));
  output.result({ file, dataDir }, () => [`Copied the store in ${dataDir} to ${file}.`]);
  return EXIT.ok;
}
