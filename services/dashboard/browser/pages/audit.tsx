import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { download, get } from '../api.ts';
import { type AuditFilter, READ } from '../endpoints.ts';
import { fieldOf, isoOf } from '../local-time.ts';
import { AsOfSearch } from '../parts/as-of.tsx';
import { Heading, Loaded, Problem } from '../parts/small.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { AuditPage as Page } from '../types.ts';
import { ENTRY_TYPES, messageOf, typeText } from '../words.ts';

const CURRENT = { 'aria-current': 'page' } as const;

export function AuditPage() {
  const [params] = useParams();
  const asOf = params.get('view') === 'as-of' || params.has('at');
  return (
    <>
      <Heading title="Audit">Audit</Heading>
      <nav class="tabs" aria-label="Audit">
        <Link href="/audit" {...(asOf ? {} : CURRENT)}>
          Entries
        </Link>
        <Link href="/audit?view=as-of" {...(asOf ? CURRENT : {})}>
          Point in time
        </Link>
      </nav>
      {asOf ? <AsOfSearch /> : <Search />}
    </>
  );
}

const FIELDS = ['account', 'enrollment', 'type', 'run', 'actor', 'since', 'until'] as const;
type Field = (typeof FIELDS)[number];

function filterOf(params: URLSearchParams): AuditFilter {
  const given = Object.fromEntries(FIELDS.map((name) => [name, params.get(name)]));
  return { ...given, since: isoOf(params.get('since')), until: isoOf(params.get('until')) };
}

/** Start and end of the previous calendar quarter, in the reader's time zone. */
function lastQuarter(now: Date): readonly [Date, Date] {
  const quarter = Math.floor(now.getMonth() / 3);
  return [new Date(now.getFullYear(), quarter * 3 - 3, 1), new Date(now.getFullYear(), quarter * 3, 1)];
}

function Search() {
  const [params, change] = useParams();
  const filter = filterOf(params);
  const value = (name: Field): string => params.get(name) ?? '';
  const path = READ.audit(filter);
  const page = useResource<Page>(path);
  const text = (name: Field, label: string, placeholder: string) => (
    <label>
      {label}
      <input
        type="text"
        value={value(name)}
        placeholder={placeholder}
        autoComplete="off"
        onChange={(event) => change({ [name]: event.currentTarget.value.trim() })}
      />
    </label>
  );
  const moment = (name: 'since' | 'until', label: string) => (
    <label>
      {label}
      <input
        type="datetime-local"
        value={value(name)}
        onChange={(event) => change({ [name]: event.currentTarget.value })}
      />
    </label>
  );
  const last = (days: number): void => {
    change({ since: fieldOf(new Date(Date.now() - days * 86_400_000)), until: null });
  };
  const quarter = (): void => {
    const [since, until] = lastQuarter(new Date());
    change({ since: fieldOf(since), until: fieldOf(until) });
  };
  return (
    <section aria-labelledby="entries">
      <h2 id="entries">Who changed what, when and why</h2>
      <search>
        <form class="filters" onSubmit={(event) => event.preventDefault()}>
          {text('account', 'Account id', '123456789012')}
          <label>
            Enrollment
            <select value={value('enrollment')} onChange={(event) => change({ enrollment: event.currentTarget.value })}>
              <option value="">Any</option>
              {Object.entries(TITLES).map(([code, words]) => (
                <option key={code} value={code}>
                  {words}
                </option>
              ))}
            </select>
          </label>
          <label>
            Type
            <select value={value('type')} onChange={(event) => change({ type: event.currentTarget.value })}>
              <option value="">Any</option>
              {ENTRY_TYPES.map((type) => (
                <option key={type} value={type}>
                  {typeText(type)}
                </option>
              ))}
            </select>
          </label>
          {text('actor', 'Who', 'arn:aws:iam::…')}
          {text('run', 'Run', 'run id')}
          {moment('since', 'From')}
          {moment('until', 'Until')}
        </form>
      </search>
      <div class="heading">
        <div class="actions">
          <button type="button" class="secondary outline" onClick={() => last(1)}>
            Last day
          </button>
          <button type="button" class="secondary outline" onClick={() => last(30)}>
            Last 30 days
          </button>
          <button type="button" class="secondary outline" onClick={quarter}>
            Last quarter
          </button>
          <button type="button" class="secondary outline" onClick={() => change(NO_FILTER)}>
            Clear filters
          </button>
        </div>
        <Export filter={filter} />
      </div>
      <Loaded resource={page} what="The audit log">
        {(found) => (
          <Timeline
            key={path}
            first={found}
            readOlder={(cursor) => get(READ.audit(filter, cursor))}
            label="Entries, newest first"
            withAccount
            none="No entries match these filters."
          />
        )}
      </Loaded>
    </section>
  );
}

const NO_FILTER = Object.fromEntries(FIELDS.map((name) => [name, null]));

const FORMATS = [
  ['csv', 'CSV', 'csv'],
  ['json', 'JSON', 'json'],
  ['ndjson', 'NDJSON', 'ndjson'],
  ['ocsf', 'OCSF', 'ocsf.ndjson'],
] as const;

/** Exports the selected entries as a file. A plain link could not send the token, so the page downloads the file and then saves it. */
function Export({ filter }: { readonly filter: AuditFilter }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (format: string, ending: string): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const address = URL.createObjectURL(await download(READ.export(filter, format)));
      const link = document.createElement('a');
      link.href = address;
      link.download = `rollcall-audit-${new Date().toISOString().slice(0, 10)}.${ending}`;
      link.click();
      URL.revokeObjectURL(address);
    } catch (error) {
      setProblem(`The export failed. ${messageOf(error)}`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <fieldset class="actions" aria-busy={busy}>
        <legend class="hidden">Export the selected entries as</legend>
        <span class="muted" aria-hidden="true">
          Export as
        </span>
        {FORMATS.map(([format, title, ending]) => (
          <button
            key={format}
            type="button"
            disabled={busy}
            class="secondary outline"
            onClick={() => save(format, ending)}
          >
            {title}
          </button>
        ))}
      </fieldset>
      <Problem text={problem} />
    </>
  );
}
