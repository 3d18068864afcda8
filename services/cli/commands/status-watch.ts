import type { Status } from '../../../shared/app/queries/status.ts';
import type { OpenStore } from '../../../shared/compose/stores/profile.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import type { CliContext } from '../context.ts';
import { onQuitKey } from '../keys.ts';
import { withStore } from '../session.ts';
import { driftText } from '../ui/drift-text.ts';
import type { StatusView } from '../ui/status-view.ts';
import { type Watched, watchText } from '../ui/watch-text.ts';
import { instant } from '../ui/words.ts';

/** Time between two reads of the store, ms. */
const PERIOD_MS = 2_000;
/** Entries shown below the status. */
const LATEST = 5;

interface Watch {
  readonly read: (store: OpenStore) => Promise<Status>;
  readonly view: Omit<StatusView, 'now' | 'since'>;
}

/**
 * Shows the status until the user types q or Ctrl-C: a terminal is repainted; otherwise one line is printed whenever the counts change.
 * @returns the last status
 * @throws ConfigError with `--output json`, which is one document
 */
export async function watchStatus(context: CliContext, { read, view }: Watch): Promise<Status> {
  const { output, clock, interrupt, input, config } = context;
  if (config.json)
    throw new ConfigError('Usage', 'status --watch has no --output json; run status -o json repeatedly.');
  const quit = new AbortController();
  interrupt.finishGracefully(() => undefined);
  const stopListening = onQuitKey(input(), () => quit.abort());
  const stop = AbortSignal.any([interrupt.signal, quit.signal]);
  const show = output.outIsTerminal ? repainting(context, view) : logging(context);
  try {
    return await withStore(context, true, async (store) => {
      for (;;) {
        const found = await read(store);
        await show(store, found);
        await clock.sleep(PERIOD_MS, stop);
        if (stop.aborted) return found;
      }
    });
  } finally {
    stopListening();
  }
}

type Show = (store: OpenStore, found: Status) => Promise<void>;

function repainting({ output, clock }: CliContext, view: Watch['view']): Show {
  let since: Status['statuses'] | null = null;
  return async (store, found) => {
    since ??= found.statuses;
    const watched = await latestOf(store, clock);
    output.repaint(watchText(found, watched, { ...view, now: clock.now(), since }));
  };
}

async function latestOf(store: OpenStore, clock: CliContext['clock']): Promise<Watched> {
  const [{ listRuns }, { auditList }] = await Promise.all([
    import('../../../shared/app/queries/runs.ts'),
    import('../../../shared/app/queries/audit/list.ts'),
  ]);
  const { runs } = await listRuns(store, clock, { limit: 1, cursor: null });
  const query = { filter: {}, limit: LATEST, cursor: null, order: 'newestFirst' as const };
  const { entries } = await auditList(store.ledger, query);
  const names = new Map<string, string>();
  for (const { accountId } of entries) {
    if (accountId === null || names.has(accountId)) continue;
    names.set(accountId, (await store.snapshots.get(accountId))?.name ?? accountId);
  }
  return { run: runs[0] ?? null, entries, nameOf: (id) => names.get(id) ?? null };
}

function logging({ output, clock }: CliContext): Show {
  let shown = '';
  return async (_store, found) => {
    const line = `${found.halted === null ? '' : 'HALTED; '}${driftText(found.openDrift)}`;
    if (line !== shown) output.print(`${instant(new Date(clock.now()).toISOString())}: ${line}`);
    shown = line;
  };
}
