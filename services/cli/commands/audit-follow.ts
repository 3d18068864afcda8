import { LogFollower } from '../../../shared/app/queries/audit/follow.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { namesOf } from '../account-names.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { entryList } from '../ui/entries.ts';
import { type ListFlags, selectionOf } from './audit-filter.ts';

/** Time between two reads, ms. */
const PERIOD_MS = 2_000;

/** Prints the newest entries, oldest first, and then each new entry until the user presses Ctrl-C or the reader closes the pipe. @returns the exit code */
export async function followEntries(context: CliContext, flags: ListFlags): Promise<number> {
  const { output, clock, interrupt, config } = context;
  if (config.json || flags.until !== undefined || flags.cursor !== undefined) {
    throw new ConfigError(
      'Usage',
      'audit list --follow has no end, so it excludes --output json, --until and --cursor.',
    );
  }
  const { filter, of } = await selectionOf(context, flags);
  const limit = countArgument('--limit', flags.limit, { min: 1, max: 1_000_000 });
  interrupt.finishGracefully(() => undefined);
  const isOver = (): boolean => interrupt.signal.aborted || output.resultIsUnread;
  await withStore(context, true, async ({ ledger, snapshots }) => {
    const follower = new LogFollower({ ledger, clock, filter, of });
    let fresh = await follower.first(limit);
    let titles = '';
    while (!isOver()) {
      if (fresh.length > 0) {
        const nameOf = await namesOf(snapshots, fresh);
        const { head, lines } = await entryList(fresh, { format: config.format, width: output.width, nameOf });
        // Long entries can need other columns than the entries before them.
        const needed = head.join('').replaceAll(/ +/g, ' ');
        for (const line of needed === titles ? lines : [...head, ...lines]) output.print(line);
        titles = needed;
      }
      await clock.sleep(PERIOD_MS, interrupt.signal);
      if (isOver()) break;
      fresh = await follower.next();
    }
  });
  return interrupt.signal.aborted ? interrupt.exitCode : EXIT.ok;
}
