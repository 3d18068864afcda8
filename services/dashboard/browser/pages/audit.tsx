import type { InputHTMLAttributes } from 'preact';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { ENTRY_TYPES } from '../../../../shared/domain/ledger/entry-types.ts';
import { download, get } from '../api.ts';
import { type AuditFilter, READ } from '../endpoints.ts';
import { fieldOf, isoOf } from '../local-time.ts';
import { AsOfSearch } from '../parts/as-of.tsx';
import { enrollmentOptions } from '../parts/enrollments.ts';
import { Button, Choice } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { Loaded, Problem } from '../parts/small.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { AuditPage as Page, Status } from '../types.ts';
import { messageOf, typeText } from '../words.ts';

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
  const { data: status } = useResource<Status>(READ.status);
  /** Whether an account's record or an entry on this page is about the enrollment. */
  const isRecorded = (id: EnrollmentId): boolean =>
    Object.values(status?.statuses[id] ?? {}).some((accounts) => accounts > 0) ||
    page.data?.entries.some(({ enrollment }) => enrollment === id) === true;
  const field = (name: Field, label: string, input: InputHTMLAttributes) => (
    <label>
      {label}
      <input
        {...input}
        value={value(name)}
        onChange={(event) => change({ [name]: event.currentTarget.value.trim() })}
      />
    </label>
  );
  const text = (name: Field, label: string, placeholder: string) =>
    field(name, label, { type: 'text', placeholder, autoComplete: 'off' });
  const choice = (name: Field, label: string, options: readonly (readonly [string, string])[]) => (
    <Choice label={label} value={value(name)} options={options} onChange={(to) => change({ [name]: to })} />
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
          {choice('enrollment', 'Enrollment', enrollmentOptions(value('enrollment'), isRecorded))}
          {choice('type', 'Type', TYPES)}
          {text('actor', 'Who', 'arn:aws:iam::…')}
          {text('run', 'Run', 'run id')}
          {field('since', 'From', { type: 'datetime-local' })}
          {field('until', 'Until', { type: 'datetime-local' })}
        </form>
      </search>
      <div class="heading">
        <div class="actions">
          <Button onClick={() => last(1)}>Last day</Button>
          <Button onClick={() => last(30)}>Last 30 days</Button>
          <Button onClick={quarter}>Last quarter</Button>
          <Button onClick={() => change(NO_FILTER)}>Clear filters</Button>
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

const TYPES = ENTRY_TYPES.map((type) => [type, typeText(type)] as const);
const NO_FILTER = Object.fromEntries(FIELDS.map((name) => [name, null]));

const FORMATS = [
  ['csv', 'CSV', 'csv'],
  ['json', 'JSON', 'json'],
  ['ndjson', 'NDJSON', 'ndjson'],
  ['ocsf', 'OCSF', 'ocsf.ndjson'],
] as const;

/** Exports the selected entries as a file. A link to the API could not send the token, so the page downloads the file and then saves it. */
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
          <button key={format} type="button" disabled={busy} class="btn" onClick={() => save(format, ending)}>
            {title}
          </button>
        ))}
      </fieldset>
      <Problem text={problem} />
    </>
  );
}
