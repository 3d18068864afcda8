import { useEffect, useState } from 'preact/hooks';
import { get } from '../api.ts';
import { FIELDS, Filters, filterOf, NOTHING, periodOf } from '../audit/filters.tsx';
import { type AuditFilter, READ } from '../endpoints.ts';
import { changes, slowChanges } from '../live.ts';
import { AsOfStatus } from '../parts/as-of.tsx';
import { AuditEntries } from '../parts/audit-entries.tsx';
import { AuditEntry } from '../parts/audit-entry.tsx';
import { DownloadCheckpoint, ExportEntries, Integrity, VerifyNow } from '../parts/audit-proof.tsx';
import { Button, Segments } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { Histogram } from '../parts/histogram.tsx';
import { Loaded } from '../parts/small.tsx';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import { zoneName } from '../time-text.ts';
import type { AuditSummary, AuditPage as Page, Verification } from '../types.ts';
import { count, number } from '../words.ts';

export function AuditPage() {
  const [params, change] = useParams();
  const asOf = params.get('view') === 'as-of' || params.has('at');
  const verification = useResource<Verification>(READ.verification, slowChanges.value);
  const filter = filterOf(params);
  const view = (
    <Segments
      label="View"
      value={asOf ? 'as-of' : 'entries'}
      options={[
        ['entries', 'Entries'],
        ['as-of', 'Status at a time'],
      ]}
      onChange={(to) => change({ ...NOTHING, view: to === 'as-of' ? to : null })}
    />
  );
  return (
    <>
      <Heading
        title="Audit log"
        beside={<Integrity verification={verification.data} look="pill" />}
        sub={<Integrity verification={verification.data} look="sentence" />}
        actions={
          <>
            <VerifyNow onDone={verification.reload} />
            <DownloadCheckpoint verification={verification.data} />
            <ExportEntries filter={filter} />
          </>
        }
      >
        Audit log
      </Heading>
      {asOf ? <AsOfStatus view={view} /> : <Entries filter={filter} view={view} />}
    </>
  );
}

interface EntriesProps {
  readonly filter: AuditFilter;
  readonly view: preact.ComponentChildren;
}

function Entries({ filter, view }: EntriesProps) {
  const [params, change] = useParams();
  const summary = useResource<AuditSummary>(READ.auditSummary(filter), slowChanges.value);
  const page = useResource<Page>(READ.audit(filter), changes.value);
  const chosen = params.get('entry');
  const older = useOlder(filter, page.data);
  const rows = older.entries;
  const selected = chosen ?? rows[0]?.id ?? null;
  const isFiltered = FIELDS.some((name) => params.has(name)) || periodOf(params) !== '24h';
  return (
    <section class="panel" aria-label="Entries">
      <div class="tools filters">
        {view}
        <Filters summary={summary} />
        {isFiltered && (
          <Button look="quiet" onClick={() => change(NOTHING)}>
            Clear filters
          </Button>
        )}
        <span class="right muted" role="status">
          {summary.data !== null && `${totalText(summary.data)}, newest first, ${zoneName()}`}
        </span>
      </div>
      <div class="md">
        <div>
          {summary.data !== null && summary.data.total > 0 && (
            <Histogram {...summary.data} one="entry" many="entries" />
          )}
          <Loaded resource={page} what="The audit log">
            {() =>
              rows.length === 0 ? (
                <NoEntries onClear={() => change({ ...NOTHING, period: 'all' })} />
              ) : (
                <AuditEntries
                  entries={rows}
                  names={older.names}
                  selected={selected}
                  onSelect={(id) => change({ entry: id })}
                />
              )
            }
          </Loaded>
        </div>
        {selected !== null && <AuditEntry id={selected} names={older.names} chosen={chosen !== null} />}
      </div>
      {rows.length > 0 && (
        <div class="table-foot">
          <span>
            Rows 1–{number(rows.length)}
            {summary.data !== null && ` of ${totalText(summary.data).replace(/ entr.*$/, '')}`}
          </span>
          {older.next !== null && (
            <Button look="tiny" onClick={older.more}>
              Older entries
            </Button>
          )}
          <span class="right drop-s">Choose a row to see the whole entry and its place in the chain</span>
        </div>
      )}
    </section>
  );
}

const totalText = ({ total, complete }: AuditSummary): string =>
  complete ? count(total, 'entry', 'entries') : `more than ${count(total, 'entry', 'entries')}`;

function NoEntries({ onClear }: { readonly onClear: () => void }) {
  return (
    <div class="message">
      <p>
        <b class="strong">No entries match these filters.</b> Choose a longer period or fewer filters.
      </p>
      <span class="actions">
        <Button onClick={onClear}>Show all entries</Button>
      </span>
    </div>
  );
}

/** The first page, which is read again after each change, and the older pages that the reader asked for. */
function useOlder(filter: AuditFilter, first: Page | null) {
  const key = READ.audit({ ...filter, since: null });
  const [older, setOlder] = useState<{ readonly key: string; readonly pages: readonly Page[] }>({ key, pages: [] });
  const pages = older.key === key ? older.pages : [];
  useEffect(() => setOlder((known) => (known.key === key ? known : { key, pages: [] })), [key]);
  const known = new Set(first?.entries.map(({ id }) => id));
  const more = pages.flatMap(({ entries }) => entries.filter(({ id }) => !known.has(id)));
  const next = (pages.at(-1) ?? first)?.next ?? null;
  return {
    entries: [...(first?.entries ?? []), ...more],
    names: Object.assign({}, first?.names, ...pages.map(({ names }) => names)) as Readonly<Record<string, string>>,
    next,
    more: async () => {
      if (next === null) return;
      const page = await get<Page>(READ.audit(filter, next));
      setOlder({ key, pages: [...pages, page] });
    },
  };
}
