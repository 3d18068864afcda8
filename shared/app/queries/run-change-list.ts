import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import { BadCursorError } from '../../ports/ledger.ts';
import type { Clock } from '../../ports/system.ts';
import { accountsById } from './accounts-by-id.ts';
import type { ChangeOutcome } from './answers/runs.ts';
import type { RunCache } from './run-cache.ts';
import type { TracedChange } from './run-changes.ts';
import { bareChanges, lastEntries } from './run-descriptions.ts';
import { countOutcomes, rankOf } from './run-outcomes.ts';
import { type RunStores, type SeenRun, seenRun } from './runs.ts';

export interface RunChangeQuery {
  /** Any of these; absent: all. */
  readonly outcome?: readonly ChangeOutcome[] | undefined;
  readonly enrollment?: EnrollmentId | undefined;
  /** `false`: the changes that were added after the run was planned. Absent: both. */
  readonly planned?: boolean | undefined;
  /** Part of the id, name or OU of an account, in any case. */
  readonly text?: string | undefined;
  readonly limit: number;
  /** `next` of the previous page. */
  readonly cursor: string | null;
}

interface Listed {
  readonly change: TracedChange;
  readonly result: ChangeOutcome;
  readonly planned: boolean;
  readonly name: string | null;
  readonly ou: string | null;
}

/**
 * One page of all changes of a run, those that need attention first. The cursor is an offset: while the run is in progress, a change may move to
 * another page.
 * @returns `null` if the ledger has no such run @throws BadCursorError
 */
export async function listRunChanges(
  stores: RunStores,
  clock: Pick<Clock, 'now'>,
  runId: string,
  query: RunChangeQuery,
  cache?: RunCache<SeenRun>,
) {
  const [seen, snapshot] = await Promise.all([seenRun(stores, clock, runId, cache), stores.snapshots.load()]);
  if (seen === null) return null;
  const all = listed(seen, snapshot);
  const { limit, outcome, enrollment, planned: isPlanned } = query;
  const text = query.text?.toLowerCase() ?? '';
  const fitting = all.filter(
    (each) => (isPlanned === undefined || each.planned === isPlanned) && isOf(each, enrollment) && contains(each, text),
  );
  const chosen = fitting.filter(({ result }) => outcome?.includes(result) ?? true);
  const from = query.cursor === null ? 0 : Number(query.cursor);
  if (!Number.isSafeInteger(from) || from < 0 || from > chosen.length) {
    throw new BadCursorError('This cursor is past the last change');
  }
  const page = chosen.toSorted((a, b) => rankOf(a.result) - rankOf(b.result)).slice(from, from + limit);
  const end = from + page.length;
  return {
    total: chosen.length,
    counts: countOutcomes(fitting.map(({ result }) => result)),
    changes: await rowsOf(stores, page),
    next: end < chosen.length ? String(end) : null,
  };
}

function listed({ traced, results }: SeenRun, snapshot: OrganizationSnapshot | null): readonly Listed[] {
  const known = accountsById(snapshot);
  return traced.changes.map((change, index) => {
    const account = known.get(change.accountId);
    const planned = traced.isPlanned(change);
    const result = results[index] ?? 'Not started';
    return { change, result, planned, name: account?.name ?? null, ou: account?.ou ?? null };
  });
}

const isOf = ({ change }: Listed, enrollment: EnrollmentId | undefined): boolean =>
  enrollment === undefined || change.enrollment === enrollment;

function contains({ change: { accountId }, name, ou }: Listed, text: string): boolean {
  return text === '' || [accountId, name, ou].some((each) => each?.toLowerCase().includes(text) === true);
}

async function rowsOf(stores: RunStores, page: readonly Listed[]) {
  const changes = page.map(({ change }) => change);
  const entries = await lastEntries(stores, changes);
  const described = bareChanges(changes, entries);
  return page.flatMap(({ change, result, planned, name, ou }, index) => {
    const bare = described[index];
    return bare === undefined ? [] : [{ ...bare, name, ou, result, planned, at: entries.get(change)?.at ?? null }];
  });
}
