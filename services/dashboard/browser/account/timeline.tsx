import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { type EnrollmentId, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { entryTitle } from '../../../../shared/domain/ledger/entry-titles.ts';
import { get } from '../api.ts';
import { READ } from '../endpoints.ts';
import { entryLook } from '../entry-line.ts';
import { Copy } from '../parts/copy.tsx';
import { Button, Segments } from '../parts/form.tsx';
import { Mark } from '../parts/icon.tsx';
import { Fact, Problem } from '../parts/small.tsx';
import { now, Sentence } from '../parts/time.tsx';
import { clockText, dayHeading, exactText } from '../time-text.ts';
import type { Account, AuditPage, Entry } from '../types.ts';
import { count, messageOf, stateText } from '../words.ts';
import { driftStart, entryLine, timelineActor } from './timeline-line.ts';

interface Props {
  readonly found: Account;
  readonly kinds: readonly EnrollmentId[];
}

/** The entries of an account, newest first: one line each, details on demand. */
export function AccountTimeline({ found, kinds }: Props) {
  const [only, setOnly] = useState<EnrollmentId | 'all'>('all');
  const { entries, next, more, problem } = useEntries(found);
  const shown = entries.filter(({ enrollment }) => only === 'all' || enrollment === null || enrollment === only);
  const total = entries[0]?.seq ?? 0;
  return (
    <section class="panel" aria-labelledby="timeline">
      <header>
        <h2 id="timeline">Timeline</h2>
        <span class="sub">{count(total, 'entry', 'entries')}</span>
        {kinds.length > 1 && (
          <span class="right">
            <Segments
              label="Show"
              value={only}
              options={[['all', 'All'], ...kinds.map((id) => [id, TITLES[id]] as const)]}
              onChange={setOnly}
            />
          </span>
        )}
      </header>
      {shown.length === 0 && <p class="message muted">No entries recorded.</p>}
      {byDay(shown).map(([day, own]) => (
        <Fragment key={day}>
          <h3 class="day">{day}</h3>
          <ul class="feed lines">
            {own.map((entry) => (
              <Line key={entry.id} entry={entry} older={entries.slice(entries.indexOf(entry) + 1)} />
            ))}
          </ul>
        </Fragment>
      ))}
      <Problem text={problem} />
      <div class="table-foot">
        {next !== null && (
          <Button look="tiny" onClick={more}>
            Older entries
          </Button>
        )}
        <Link href={`/audit?account=${found.accountId}`}>All entries in the audit log</Link>
      </div>
    </section>
  );
}

/** The newest entries, and the older ones that the reader has asked for. */
function useEntries({ accountId, timeline, next: first }: Account) {
  const [older, setOlder] = useState<{ readonly entries: readonly Entry[]; readonly next: string | null } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const next = older === null ? first : older.next;
  const more = async (): Promise<void> => {
    try {
      const page = await get<AuditPage>(READ.audit({ account: accountId }, next));
      setOlder({ entries: [...(older?.entries ?? []), ...page.entries], next: page.next });
      setProblem(null);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  // The newest entries are read again after a change and may then overlap with the older ones.
  const known = new Set(timeline.map(({ id }) => id));
  const entries = [...timeline, ...(older?.entries ?? []).filter(({ id }) => !known.has(id))];
  return { entries, next, more, problem };
}

function byDay(entries: readonly Entry[]): readonly (readonly [day: string, entries: readonly Entry[]])[] {
  const days = new Map<string, Entry[]>();
  for (const entry of entries) {
    const day = dayHeading(Date.parse(entry.at), now.value);
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return [...days];
}

function Line({ entry, older }: { readonly entry: Entry; readonly older: readonly Entry[] }) {
  const { mark, tone } = entryLook(entry);
  const { name, full } = timelineActor(entry);
  const text = entryLine(entry, driftStart(entry, older));
  return (
    <li>
      <details>
        <summary>
          <time dateTime={entry.at} title={exactText(Date.parse(entry.at))}>
            {clockText(Date.parse(entry.at))}
          </time>
          <span class={`c-${tone}`}>
            <Mark name={mark} />
          </span>
          <span class="strong what cut" title={entryTitle(entry.type)}>
            {entryTitle(entry.type)}
          </span>
          <span class="cut text" title={text}>
            <Sentence text={text} />
          </span>
          <span class="who cut" title={full}>
            {name}
          </span>
        </summary>
        <Details entry={entry} />
      </details>
    </li>
  );
}

function Details({ entry }: { readonly entry: Entry }) {
  const { id, before, after, actor, rule, runId, api, detail, chain, seq, hash } = entry;
  const by = detail?.changedBy;
  return (
    <dl class="facts">
      <Fact term="Changed by">{by !== undefined && `${by.actor} with ${by.operation}`}</Fact>
      <Fact term="Message">{detail?.message !== undefined && <Sentence text={detail.message} />}</Fact>
      <Fact term="Before">{before !== null && stateText(before.status, before.ruleMode)}</Fact>
      <Fact term="After">{after !== null && stateText(after.status, after.ruleMode)}</Fact>
      <Fact term="Desired">{after !== null && stateText(after.desired, after.desiredRuleMode)}</Fact>
      <Fact term="Rule">{rule}</Fact>
      <Fact term="Call">{api !== null && `${api.operation}, request id ${api.requestId ?? 'unknown'}`}</Fact>
      <Fact term="Run">{runId !== null && <Link href={`/run?id=${encodeURIComponent(runId)}`}>{runId}</Link>}</Fact>
      <Fact term="Recorded by">{actor}</Fact>
      <Fact term="Entry">
        <span class="mono">{id}</span> <Copy text={id} what="Entry id" />, number {seq} of chain {chain}
      </Fact>
      <Fact term="Hash">
        <span class="mono" title={hash}>
          {hash.slice(0, 8)}
        </span>{' '}
        <Copy text={hash} what="Hash" />
      </Fact>
    </dl>
  );
}
