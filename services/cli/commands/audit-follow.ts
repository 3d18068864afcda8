import { auditList } from '../../../shared/app/queries/audit/list.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import type { LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import { toIso } from '../../../shared/domain/time.ts';
import { namesOf } from '../account-names.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { entryList } from '../ui/entries.ts';
import { type ListFlags, selectionOf } from './audit-filter.ts';

/** Time between two reads, ms. */
const PERIOD_MS = 2_000;
/** Clocks of processes differ, so an entry may appear later than one with a later time. It is looked for this long, ms. */
const OVERLAP_MS = 60_000;

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
    const first = await auditList(of(ledger), { filter, limit, cursor: null, order: 'newestFirst' });
    const follower = new Follower(first.entries);
    let fresh: readonly LedgerEntry[] = first.entries.toReversed();
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
      const since = follower.since ?? filter.since;
      const query = { filter: { ...filter, ...(since !== undefined && { since }) }, limit: 1_000_000, cursor: null };
      fresh = follower.take((await auditList(of(ledger), { ...query, order: 'oldestFirst' })).entries);
    }
  });
  return interrupt.signal.aborted ? interrupt.exitCode : EXIT.ok;
}

/** Remembers which of the latest entries were printed. */
class Follower {
  #printed: ReadonlySet<string>;
  #latest: string | null;
  /** Entries before the first page were left out on purpose. */
  readonly #from: string;

  constructor(entries: readonly LedgerEntry[]) {
    this.#printed = new Set(entries.map(({ id }) => id));
    this.#latest = entries[0]?.at ?? null;
    this.#from = entries.at(-1)?.at ?? '';
  }

  /** From when on to read entries, ISO 8601; `null`: all. */
  get since(): string | null {
    return this.#latest === null ? null : toIso(Date.parse(this.#latest) - OVERLAP_MS);
  }

  /** The entries that were not printed before. @param entries all entries since `since`, oldest first */
  take(entries: readonly LedgerEntry[]): readonly LedgerEntry[] {
    const fresh = entries.filter(({ id, at }) => !this.#printed.has(id) && at >= this.#from);
    this.#printed = new Set([...this.#printed, ...entries.map(({ id }) => id)]);
    this.#latest = entries.at(-1)?.at ?? this.#latest;
    return fresh;
  }
}
