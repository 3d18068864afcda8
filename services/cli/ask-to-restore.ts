import { type FoundExtent, fileExtent, storeExtent } from '../../shared/compose/restore.ts';
import { quoted } from '../../shared/domain/check-result.ts';
import { toIso } from '../../shared/domain/time.ts';
import type { CliContext } from './context.ts';
import { CommandError } from './errors.ts';
import { confirm } from './prompt.ts';
import { count, instant } from './ui/words.ts';

/**
 * Asks before a store is replaced, and says how many entries the store and the backup have. Does not ask if there is no store to replace.
 * @throws CommandError if there is a store to replace, but no terminal to ask on
 */
export async function mayRestore(context: CliContext, dataDir: string, file: string): Promise<boolean> {
  const store = storeExtent(dataDir);
  const backup = fileExtent(file);
  // The restore reports a backup that cannot be used, and replaces nothing.
  if (store === 'absent' || backup === 'absent' || backup === 'unreadable') return true;
  if (context.input().isTTY !== true) {
    throw new CommandError(
      'ConfirmationMissing',
      'restore asks for confirmation before it replaces the store, and this is not a terminal',
      {
        hints: [
          `The store: ${extentText(store)}. The backup: ${extentText(backup)}.`,
          `To replace the store without confirmation: ${context.config.program} restore ${quoted(file)} --yes`,
        ],
      },
    );
  }
  return confirm(context, `Replace the store (${extentText(store)}) with ${file} (${extentText(backup)})?`);
}

function extentText(extent: Exclude<FoundExtent, 'absent'>): string {
  if (extent === 'unreadable') return 'it cannot be read';
  const newest = extent.newest === null ? '' : `, newest ${instant(toIso(extent.newest))}`;
  return `${count(extent.entries, 'entry', 'entries')}${newest}`;
}
