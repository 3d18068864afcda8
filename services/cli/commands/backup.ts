import type { Command } from 'commander';
import type { CliContext, Select } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { refuseAws, withEmbeddedStore } from '../session.ts';

export function defineBackup(program: Command, select: Select): void {
  program
    .command('backup')
    .description('copy the store into a file, while it is in use')
    .argument('<file>', 'a file that is not there yet')
    .action((file: string) => select((context) => runBackup(context, file)));
  program
    .command('restore')
    .description('put a backup in the place of the store; what is there is kept beside it')
    .argument('<file>', 'a backup')
    .action((file: string) => select((context) => runRestore(context, file)));
}

const ADVICE = 'The table has point-in-time recovery: see "Restoring" in docs/operations.md.';

async function runBackup(context: CliContext, file: string): Promise<number> {
  refuseAws(context, 'backup', ADVICE);
  await withEmbeddedStore(context, true, (store) => store.backup(file));
  const { output, config } = context;
  if (output.json) output.document({ file, dataDir: config.dataDir });
  else output.print(`The store in ${config.dataDir} is copied to ${file}.`);
  return EXIT.ok;
}

async function runRestore(context: CliContext, file: string): Promise<number> {
  refuseAws(context, 'restore', ADVICE);
  const { output, config, clock } = context;
  const { restoreEmbeddedStore, makeNewId } = await import('../../../shared/compose/system.ts');
  const newId = makeNewId(clock);
  const kept = await keepPresent(context, `${config.dataDir}/before-restore-${newId()}.db`);
  const { path, setAside } = await restoreEmbeddedStore({ dataDir: config.dataDir, file, clock, newId });
  if (output.json) output.document({ restored: path, from: file, kept: setAside ?? kept });
  else {
    output.print(`${path} is as it was in ${file}.`);
    if (setAside !== null) output.print(`The damaged store was set aside: ${setAside}`);
    else if (kept !== null) output.print(`What was there before is kept: ${kept}`);
  }
  return EXIT.ok;
}

/** An audit trail is not overwritten without a copy. `null`: there was no store, or it is damaged and will be set aside. */
async function keepPresent(context: CliContext, file: string): Promise<string | null> {
  const { StoreError } = await import('../../../shared/compose/system.ts');
  try {
    await withEmbeddedStore(context, true, (store) => store.backup(file));
    return file;
  } catch (error) {
    if (error instanceof StoreError && ['NotFound', 'Corrupt', 'OlderVersion'].includes(error.code)) return null;
    throw error;
  }
}
