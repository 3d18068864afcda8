import type { RunView } from '../../../shared/app/queries/runs.ts';
import type { Status } from '../../../shared/app/queries/status.ts';
import { entriesTable, type NameOf } from './entries.ts';
import type { Entry } from './entry-words.ts';
import { runProgress } from './run-progress.ts';
import { statusText } from './status-text.ts';
import type { StatusView } from './status-view.ts';

/** What `status --watch` shows below the status. */
export interface Watched {
  /** The newest run; `null`: there is none. */
  readonly run: RunView | null;
  /** The newest entries of the audit log, newest first. */
  readonly entries: readonly Entry[];
  readonly nameOf: NameOf;
}

/** The status, the progress of a run, the newest entries, and how to end. */
export function watchText(found: Status, { run, entries, nameOf }: Watched, view: StatusView): string[] {
  return [
    ...statusText(found, view),
    ...runProgress(run),
    '',
    ...(entries.length === 0 ? ['No entries yet.'] : entriesTable(entries, view.output.width, nameOf)),
    '',
    view.output.style('dim', 'Repainted every 2 seconds. q ends it.'),
  ];
}
