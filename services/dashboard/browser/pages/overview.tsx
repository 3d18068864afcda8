import { Link } from 'wouter-preact';
import { READ } from '../endpoints.ts';
import { changes, latest } from '../live.ts';
import { entryText, toneOf } from '../parts/entry.tsx';
import { History } from '../parts/history.tsx';
import { CallRateCard, NowCard } from '../parts/now.tsx';
import { Approve, Halt, Resume, ScanNow, Suspend, useMayOperate } from '../parts/operate.tsx';
import { Empty, Heading, Loaded, Sentence, Time, Verdict } from '../parts/small.tsx';
import { DataTable } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import type { Status } from '../types.ts';
import { count, ENROLLMENT_WORDS, number, percent, reasonText } from '../words.ts';

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
              <Compliance status={found} enrollment="computeOptimizer" />
              <Compliance status={found} enrollment="automation" />
              <NowCard status={found} />
              <CallRateCard />
            </div>
            <OpenReasons status={found} />
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
  // An operator can approve only these.
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
            {reason === null ? '' : `: ${reason}`},{' '}
            {until === null ? (
              'until resumed'
            ) : (
              <>
                until <Time iso={until} />
              </>
            )}
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

/** Order in the bar: compliant, in progress, not compliant, not managed. */
const ORDER: readonly string[] = [
  ...['Compliant', 'Converging', 'Drifted', 'Stalled', 'Blocked', 'Unknown'],
  ...['Suspended', 'Exempt', 'Unmanaged', 'NotApplicable'],
];
const NOT_MANAGED = new Set(['NotApplicable', 'Unmanaged', 'Exempt', 'Suspended']);

interface ComplianceProps {
  readonly status: Status;
  readonly enrollment: 'computeOptimizer' | 'automation';
}

function Compliance({ status, enrollment }: ComplianceProps) {
  const counts = Object.entries(status.summary[enrollment])
    .filter(([, accounts]) => accounts > 0)
    .sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b));
  const managed = counts
    .filter(([verdict]) => !NOT_MANAGED.has(verdict))
    .reduce((sum, [, accounts]) => sum + accounts, 0);
  const compliant = status.summary[enrollment].Compliant ?? 0;
  return (
    <article>
      <h2>{ENROLLMENT_WORDS[enrollment]}</h2>
      <span class="big">{managed === 0 ? '–' : percent((compliant / managed) * 100)}</span>
      <p class="muted">
        {managed === 0
          ? 'no managed accounts'
          : `${number(compliant)} of ${count(managed, 'managed account')} compliant`}
      </p>
      {managed > 0 && (
        <div class="bar" role="img" aria-label={counts.map(([verdict, n]) => `${verdict}: ${number(n)}`).join(', ')}>
          {counts.map(([verdict, n]) => (
            <span key={verdict} data-verdict={verdict} style={{ flexGrow: n }} />
          ))}
        </div>
      )}
      <dl class="facts figures">
        {counts.map(([verdict, accounts]) => (
          <div class="pair" key={verdict}>
            <dt>
              <Link href={`/accounts?enrollment=${enrollment}&verdict=${verdict}`}>
                <Verdict verdict={verdict} />
              </Link>
            </dt>
            <dd>{number(accounts)}</dd>
          </div>
        ))}
      </dl>
    </article>
  );
}

/** The other statuses change without anybody acting. */
const NEEDS_PERSON = new Set(['Blocked', 'Stalled', 'Unknown']);

function OpenReasons({ status: { open } }: { readonly status: Status }) {
  const sorted = [...open].sort((a, b) => Number(NEEDS_PERSON.has(b.verdict)) - Number(NEEDS_PERSON.has(a.verdict)));
  return (
    <section class="card" aria-labelledby="needs">
      <h2 id="needs">What needs a person, and what is under way</h2>
      {sorted.length === 0 ? (
        <Empty>All managed accounts comply with the policy.</Empty>
      ) : (
        <DataTable
          label="What needs a person"
          rows={sorted}
          keyOf={({ enrollment, verdict, reason }) => `${enrollment} ${verdict} ${reason}`}
          columns={[
            [
              'Accounts',
              ({ enrollment, verdict, reason, accounts }) => (
                <Link href={`/accounts?${new URLSearchParams({ enrollment, verdict, reason: reason ?? '' })}`}>
                  {count(accounts, 'account')}
                </Link>
              ),
            ],
            ['Enrollment', ({ enrollment }) => ENROLLMENT_WORDS[enrollment]],
            ['Status', ({ verdict }) => <Verdict verdict={verdict} />],
            ['Reason', ({ reason }) => reasonText(reason)],
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
      )}
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
