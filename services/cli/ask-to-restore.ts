import { type FoundExtent, fileExtent, storeExtent } from '../../shared/compose/restore.ts';
import { toIso } from '../../shared/domain/time.ts';
import type { CliContext } from './context.ts';
import { confirm } from './prompt.ts';
import { count, instant } from './ui/words.ts';

/**
 * Asks on a terminal before a store is replaced, and says how many entries the store and the backup have. Without a terminal it does not ask, so that
 * scripts of earlier versions still work.
 */
export async function mayRestore(context: CliContext, dataDir: string, file: string): Promise<boolean> {
  if (context.input().isTTY !== true) return true;
  const store = storeExtent(dataDir);
  const backup = fileExtent(file);
  // The restore reports a backup that cannot be used, and replaces nothing.
  if (store === 'absent' || backup === 'absent' || backup === 'unreadable') return true;
  return confirm(context, `Replace the store (${extentText(store)}) with ${file} (${extentText(backup)})?`);
}

function extentText(extent: Exclude<FoundExtent, 'absent'>): string {
  if (extent === 'unreadable') return 'it cannot be read';
  const newest = extent.newest === null ? '' : `, newest ${instant(toIso(extent.newest))}`;
  return `${count(extent.entries, 'entry', 'entries')}${newest}`;
}
