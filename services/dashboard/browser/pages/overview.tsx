import { Link } from 'wouter-preact';
import { type EnrollmentId, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { kindsShownIn } from '../../../../shared/domain/enrollment/status.ts';
import { READ } from '../endpoints.ts';
import { changes, latest } from '../live.ts';
import { Configurations } from '../parts/configurations.tsx';
import { entryText, toneOf } from '../parts/entry.tsx';
import { History } from '../parts/history.tsx';
import { CallRateCard, NowCard } from '../parts/now.tsx';
import { Approve, Halt, Resume, ScanNow, Suspend, useMayOperate } from '../parts/operate.tsx';
import { Heading, Loaded, Sentence, StatusMark, Time } from '../parts/small.tsx';
import { DataTable } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import type { Status } from '../types.ts';
import { count, number, percent } from '../words.ts';

export function OverviewPage() {
  const status = useResource<Status>(READ.status, changes.value);
  const mayOperate = useMayOperate();
  return (
    <>
      <Heading title="Overview">Overview</Heading>
      <Loaded resource={status} what="The status">
        {(found) => (
          <>
            {mayOperate && (
              <div class="actions">
                <ScanNow />
                <Suspend />
                <Halt halted={found.halted !== null} />
              </div>
            )}
            <Held status={found} mayOperate={mayOperate} />
            <div class="cards">
              {kindsShownIn(found.statuses).map(({ id }) => (
                <Compliance key={id} status={found} enrollment={id} />
              ))}
              <NowCard status={found} />
              <CallRateCard />
            </div>
            <OpenReasons status={found} />
            <Configurations status={found} />
          </>
        )}
      </Loaded>
      <History />
      <Latest />
    </>
  );
}

/** What currently limits changes, with the commands that a person can use. */
function Held({ status, mayOperate }: { readonly status: Status; readonly mayOperate: boolean }) {
  const { halted, guardrail, rollout, suspensions, window, trustedAccess, approvals } = status;
  // An approval lifts only these two guardrails.
  const approval = approvals.find(({ planHash }) => planHash === guardrail?.planHash);
  const approvable = approval === undefined && (guardrail?.reason === 'maxChanges' || guardrail?.reason === 'rollout');
  return (
    <>
      {halted !== null && (
        <div class="notice warn">
          <strong>Halted</strong> by {halted.by} <Time iso={halted.at} relative />
          {halted.reason === null ? '' : `: ${halted.reason}`}. No changes are made.
        </div>
      )}
      {guardrail !== null && (
        <div class="notice warn">
          <p>
            <strong>A guardrail stopped the last run</strong> ({guardrail.reason}):{' '}
            <Sentence text={guardrail.message ?? ''} />
            {approval !== undefined && `; approved by ${approval.actor}, the next run makes its changes`}
          </p>
          {guardrail.planHash !== null && status.lastScan.runId !== null && (
            <div class="actions">
              <Link href={`/run?id=${status.lastScan.runId}`}>View the plan</Link>
              {mayOperate && approvable && <Approve planHash={guardrail.planHash} changes={null} />}
            </div>
          )}
        </div>
      )}
      {rollout !== null && rollout.phase !== 'open' && (
        <div class="notice">
          <strong>Rollout:</strong> <Sentence text={rollout.message} />
        </div>
      )}
      {trustedAccess?.enabled === false && (
        <div class="notice warn">
          <strong>Trusted access is off</strong> since <Time iso={trustedAccess.since} />. <code>rollcall doctor</code>{' '}
          shows the command that fixes it.
        </div>
      )}
      {window !== null && !window.open && (
        <div class="notice">
          <strong>Outside the change windows.</strong> The next one opens <Time iso={window.opensAt} />.
        </div>
      )}
      {suspensions.map(({ selector, reason, until, at, by }) => (
        <div class="notice" key={`${selector} ${at}`}>
          <p>
            <strong>Suspended: {selector}</strong> by {by}
            {reason === null ? '' : `: ${reason}`}, until {until === null ? 'resumed' : <Time iso={until} />}
          </p>
          {mayOperate && (
            <div class="actions">
              <Resume selector={selector} />
            </div>
          )}
        </div>
      ))}
    </>
  );
}

/** Order of the statuses in the bar: compliant, in progress or waiting, not compliant, not managed. */
const ORDER: readonly string[] = [
  ...['Compliant', 'In progress', 'Waiting', 'Drifted', 'Needs attention', 'Unknown'],
  ...['Suspended', 'Exempt', 'Unmanaged', 'Not applicable'],
];
const NOT_MANAGED = new Set(['Not applicable', 'Unmanaged', 'Exempt', 'Suspended']);

interface ComplianceProps {
  readonly status: Status;
  readonly enrollment: EnrollmentId;
}

function Compliance({ status, enrollment }: ComplianceProps) {
  const counts = Object.entries(status.statuses[enrollment])
    .filter(([, accounts]) => accounts > 0)
    .sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b));
  const managed = counts.filter(([word]) => !NOT_MANAGED.has(word)).reduce((sum, [, accounts]) => sum + accounts, 0);
  const compliant = status.statuses[enrollment].Compliant ?? 0;
  return (
    <article>
      <h2>{TITLES[enrollment]}</h2>
      <span class="big">{managed === 0 ? '–' : percent((compliant / managed) * 100)}</span>
      <p class="muted">
        {managed === 0
          ? 'no managed accounts'
          : `${number(compliant)} of ${count(managed, 'managed account')} compliant`}
      </p>
      {managed > 0 && (
        <div class="bar" role="img" aria-label={counts.map(([word, n]) => `${word}: ${number(n)}`).join(', ')}>
          {counts.map(([word, n]) => (
            <span key={word} data-status={word} style={{ flexGrow: n }} />
          ))}
        </div>
      )}
      <dl class="facts figures">
        {counts.map(([word, accounts]) => (
          <div class="pair" key={word}>
            <dt>
              <Link href={`/accounts?${new URLSearchParams({ enrollment, status: word })}`}>
                <StatusMark status={word} />
              </Link>
            </dt>
            <dd>{number(accounts)}</dd>
          </div>
        ))}
      </dl>
    </article>
  );
}

type OpenReason = Status['open'][number];

const NEEDS_ATTENTION: ReadonlySet<string> = new Set(['Needs attention', 'Unknown']);

function OpenReasons({ status: { open } }: { readonly status: Status }) {
  const [attention, others] = [true, false].map((is) =>
    open.filter(({ status }) => NEEDS_ATTENTION.has(status) === is),
  );
  return (
    <>
      <Reasons id="attention" title="Needs attention" rows={attention ?? []} none="Nothing needs attention." />
      <Reasons
        id="progress"
        title="In progress and waiting"
        rows={others ?? []}
        none={open.length === 0 ? 'All managed accounts comply with the policy.' : 'Nothing is in progress.'}
      />
    </>
  );
}

interface ReasonsProps {
  readonly id: string;
  readonly title: string;
  readonly rows: readonly OpenReason[];
  readonly none: string;
}

function Reasons({ id, title, rows, none }: ReasonsProps) {
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <DataTable
        none={none}
        label={`${title}: accounts by reason`}
        rows={rows}
        keyOf={({ enrollment, status, reason }) => `${enrollment} ${status} ${reason}`}
        columns={[
          [
            'Accounts',
            ({ enrollment, status, reason, accounts }) => (
              <Link href={`/accounts?${new URLSearchParams({ enrollment, status, reason: reason ?? '' })}`}>
                {count(accounts, 'account')}
              </Link>
            ),
          ],
          ['Enrollment', ({ enrollment }) => TITLES[enrollment]],
          ['Status', ({ status }) => <StatusMark status={status} />],
          ['Reason', ({ message }) => message],
          ['Not before', ({ notBefore }) => (notBefore === null ? '' : <Time iso={notBefore} />)],
          [
            'Examples',
            ({ examples }) =>
              examples.map((id) => (
                <span key={id}>
                  <Link href={`/account?id=${id}`}>{id}</Link>{' '}
                </span>
              )),
          ],
        ]}
      />
    </section>
  );
}

function Latest() {
  if (latest.value.length === 0) return null;
  return (
    <section class="card" aria-labelledby="latest">
      <h2 id="latest">Latest entries</h2>
      <ul class="timeline">
        {latest.value.slice(0, 8).map((entry) => (
          <li key={entry.id} data-tone={toneOf(entry)}>
            <Time iso={entry.at} relative />{' '}
            {entry.accountId !== null && <Link href={`/account?id=${entry.accountId}`}>{entry.accountId}</Link>}{' '}
            <Sentence text={entryText(entry)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
