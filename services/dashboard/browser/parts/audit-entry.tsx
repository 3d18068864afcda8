import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { statusOf } from '../../../../shared/domain/enrollment/status.ts';
import { entryTitle } from '../../../../shared/domain/ledger/entry-titles.ts';
import { READ } from '../endpoints.ts';
import { entryActor } from '../entry-line.ts';
import { slowChanges } from '../live.ts';
import { useResource } from '../resource.ts';
import { exactText } from '../time-text.ts';
import type { Entry, Facet, ShownEntry } from '../types.ts';
import { count, number, reasonText, stateText } from '../words.ts';
import { Download } from './audit-proof.tsx';
import { Button } from './form.tsx';
import { Mark } from './icon.tsx';
import { Fact, Loaded } from './small.tsx';
import { Sentence } from './time.tsx';

interface Props {
  readonly id: string;
  readonly names: Readonly<Record<string, string>>;
  /** The reader chose this entry; otherwise it is the first of the list. */
  readonly chosen: boolean;
}

/** One entry in full, and the entries before and after it in its chain. */
export function AuditEntry({ id, names, chosen }: Props) {
  // A later checkpoint may cover the entry.
  const shown = useResource<ShownEntry>(READ.auditEntry(id), slowChanges.value);
  const pane = useRef<HTMLElement>(null);
  // Below the list on a narrow screen: the chosen entry comes into view.
  useEffect(() => {
    if (chosen && matchMedia('(max-width: 1180px)').matches) pane.current?.scrollIntoView({ block: 'nearest' });
  }, [id, chosen]);
  return (
    <aside ref={pane} aria-label="Entry">
      <Loaded resource={shown} what="The entry">
        {(found) => <Shown found={found} names={names} />}
      </Loaded>
    </aside>
  );
}

function Shown({
  found: { entry, verification, log },
  names,
}: {
  readonly found: ShownEntry;
  readonly names: Props['names'];
}) {
  return (
    <>
      <div class="title">
        <h2>{entryTitle(entry.type)}</h2>
        <span class="muted small">Entry {entry.seq} of its chain</span>
      </div>
      <EntryFacts entry={entry} name={entry.accountId === null ? null : (names[entry.accountId] ?? null)} />
      <Chain entry={entry} verification={verification} />
      <LogPlace log={log} />
      <Tools entry={entry} log={log} />
    </>
  );
}

function facetText(facet: Facet): string {
  const { attempts, reason } = facet;
  const tried = attempts > 0 ? `, ${count(attempts, 'attempt')}` : '';
  const why = reason === null ? '' : `. ${reasonText(reason)}`;
  return `${stateText(facet.status, facet.ruleMode)} (${statusOf(facet)}${tried})${why}`;
}

function EntryFacts({ entry, name }: { readonly entry: Entry; readonly name: string | null }) {
  const { at, accountId, enrollment, before, after, api, rule, policyHash, runId, detail, actor, reason } = entry;
  const changedBy = detail?.changedBy;
  return (
    <dl class="facts">
      <Fact term="Account">
        {accountId !== null && (
          <>
            <Link href={`/account?id=${accountId}`}>{name ?? accountId}</Link>
            {name !== null && <Line mono>{accountId}</Line>}
          </>
        )}
      </Fact>
      <Fact term="Time">{exactText(Date.parse(at))}</Fact>
      <Fact term="Enrollment">{enrollment !== null && TITLES[enrollment]}</Fact>
      <Fact term="Message">{detail?.message !== undefined && <Sentence text={detail.message} />}</Fact>
      <Fact term="Reason">{reason !== null && after?.reason !== reason && reasonText(reason)}</Fact>
      <Fact term="Before">{before !== null && facetText(before)}</Fact>
      <Fact term="After">{after !== null && facetText(after)}</Fact>
      <Fact term="Changed by">
        {changedBy !== undefined && (
          <>
            {entryActor(entry).name}, {exactText(Date.parse(changedBy.at))}
            <Line hash>{changedBy.actor}</Line>
            <Line hash>{changedBy.operation}</Line>
          </>
        )}
      </Fact>
      <Fact term="AWS call">
        {api !== null && (
          <>
            {api.operation}
            <Line hash>request {api.requestId ?? 'unknown'}</Line>
          </>
        )}
      </Fact>
      <Fact term="Error">{detail?.error !== undefined && `${detail.error.code}: ${detail.error.message}`}</Fact>
      <Fact term="Rule">{rule}</Fact>
      <Fact term="Policy">
        {policyHash !== null && (
          <Link href="/policy" class="mono">
            {policyHash.slice(0, 8)}
          </Link>
        )}
      </Fact>
      <Fact term="Run">
        {runId !== null && (
          <Link href={`/run?id=${encodeURIComponent(runId)}`} class="mono small">
            {runId}
          </Link>
        )}
      </Fact>
      <Fact term="Recorded by">
        <span class="hash">{actor}</span>
      </Fact>
    </dl>
  );
}

function Line({
  children,
  mono = false,
  hash = false,
}: {
  readonly children: ComponentChildren;
  readonly mono?: boolean;
  readonly hash?: boolean;
}) {
  return (
    <>
      <br />
      <span class={hash ? 'hash' : mono ? 'mono small' : ''}>{children}</span>
    </>
  );
}

type Neighbour = ShownEntry['verification']['previous'];

function Chain({
  entry,
  verification: { ok, previous, next, faults },
}: {
  readonly entry: Entry;
  readonly verification: ShownEntry['verification'];
}) {
  const row = (each: NonNullable<Neighbour>, here: boolean, hash: string | null) => (
    <li class={here ? 'here' : ''}>
      <Mark name={ok ? 'compliant' : 'attention'} />
      <span>
        {here ? (
          `${each.seq} ${entryTitle(each.type)}`
        ) : (
          <Link
            href={`/audit?period=all&entry=${each.id}${entry.accountId === null ? '' : `&account=${entry.accountId}`}`}
          >
            {each.seq} {entryTitle(each.type)}
          </Link>
        )}
      </span>
      {hash !== null && (
        <span class="hash" title={hash}>
          {hash.slice(0, 4)}…{hash.slice(-4)}
        </span>
      )}
    </li>
  );
  return (
    <div>
      <h3>{entry.accountId === null ? 'Chain of the organization' : 'Chain of this account'}</h3>
      <ul class="link-chain">
        {previous !== null && row(previous, false, entry.prevHash)}
        {row(entry, true, entry.hash)}
        {next !== null && row(next, false, null)}
      </ul>
      <p class={ok ? 'muted small' : 'problem'}>
        {ok ? 'Content and links match their hashes.' : faults.map(({ message }) => message).join('; ')}
      </p>
    </div>
  );
}

/** Where the transparency log has the entry, if it has it. */
function LogPlace({ log: { index, covered } }: Pick<ShownEntry, 'log'>) {
  if (index === null) return null;
  return (
    <p class="muted small">
      At index {number(index)} of the transparency log;{' '}
      {covered ? 'a signed checkpoint covers it.' : 'no signed checkpoint covers it yet.'}
    </p>
  );
}

function Tools({ entry, log }: Pick<ShownEntry, 'entry' | 'log'>) {
  const [said, setSaid] = useState('');
  const copy = async (text: string, what: string): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setSaid(`${what} copied`);
  };
  const address = `${location.origin}/audit?${new URLSearchParams({ entry: entry.id, period: 'all' })}`;
  return (
    <>
      <span class="actions">
        <Button look="tiny" onClick={() => copy(address, 'Link')}>
          Copy link
        </Button>
        <Button look="tiny" onClick={() => copy(entry.hash, 'Hash')}>
          Copy hash
        </Button>
        {log.covered && (
          <Download
            path={READ.proof(entry.id)}
            name={`proof-${entry.id}.txt`}
            title="Proves offline, with the public key of the log, that the audit log has this entry"
            look="tiny"
          >
            Download proof
          </Download>
        )}
        <span class="muted small" role="status">
          {said}
        </span>
      </span>
      <details class="json">
        <summary>View JSON</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard */}
        <section class="pre" tabIndex={0} aria-label="The entry as JSON">
          <pre>{JSON.stringify(entry, null, 2)}</pre>
        </section>
      </details>
    </>
  );
}
