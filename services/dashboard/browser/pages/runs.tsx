import { Link } from 'wouter-preact';
import { READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { RunProgress } from '../parts/now.tsx';
import { Approve, Redrive, useMayOperate } from '../parts/operate.tsx';
import { Empty, Heading, Loaded, Scrolling, Sentence, Time } from '../parts/small.tsx';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { DeadLetters, Run, RunDetail, Runs, Status } from '../types.ts';
import {
  changesText,
  count,
  ENROLLMENT_WORDS,
  number,
  progressText,
  reasonText,
  stateText,
  typeText,
} from '../words.ts';

export function RunsPage() {
  const [params, change] = useParams();
  const status = useResource<Status>(READ.status, changes.value);
  const runs = useResource<Runs>(READ.runs(params.get('before')), changes.value);
  return (
    <>
      <Heading title="Runs">Runs</Heading>
      <section class="card" aria-label="The present run">
        <RunProgress queue={status.data?.queue} />
      </section>
      <Loaded resource={runs} what="The runs">
        {({ runs: found, next }) =>
          found.length === 0 ? (
            <Empty>There has been no run yet.</Empty>
          ) : (
            <section class="card" aria-label="All runs">
              <RunsTable runs={found} />
              {(params.has('before') || next !== null) && (
                <div class="actions">
                  {params.has('before') && (
                    <button type="button" class="secondary" onClick={() => change({ before: null })}>
                      The latest runs
                    </button>
                  )}
                  {next !== null && (
                    <button type="button" class="secondary" onClick={() => change({ before: next })}>
                      Older runs
                    </button>
                  )}
                </div>
              )}
            </section>
          )
        }
      </Loaded>
      <Dead />
    </>
  );
}

function RunsTable({ runs }: { readonly runs: readonly Run[] }) {
  return (
    <Scrolling label="Runs, the latest first">
      <table>
        <thead>
          <tr>
            <th scope="col">Begun</th>
            <th scope="col">By</th>
            <th scope="col">Changes</th>
            <th scope="col">Result</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.runId}>
              <td>
                <Link href={`/run?id=${encodeURIComponent(run.runId)}`}>
                  <Time iso={run.startedAt} />
                </Link>
                <small class="muted">{run.runId}</small>
              </td>
              <td>{run.actor}</td>
              <td>{run.completedAt === null ? '–' : plannedText(run)}</td>
              <td>{run.changes.total + run.changes.unplanned === 0 ? '–' : progressText(run.changes)}</td>
              <td>{stateOf(run)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolling>
  );
}

/** The planned changes. Of runs of older versions only the sum is known. */
function plannedText({ totals, changes }: Run): string {
  return totals === null ? count(changes.total, 'change') : changesText(totals);
}

function stateOf({ stopped, completedAt }: Run): string {
  if (stopped !== null) return `Stopped: ${reasonText(stopped.reason)}`;
  return completedAt === null ? 'Scanning, or broken off' : 'Scanned';
}

function Dead() {
  const letters = useResource<DeadLetters>(READ.deadLetters, changes.value);
  const mayOperate = useMayOperate();
  return (
    <section class="card" aria-labelledby="dead">
      <h2 id="dead">Dead letters</h2>
      <Loaded resource={letters} what="The dead letters">
        {({ deadLetters }) =>
          deadLetters.length === 0 ? (
            <Empty>There are none: nothing was given up on.</Empty>
          ) : (
            <>
              {mayOperate && (
                <div class="actions">
                  <Redrive ids={deadLetters.map(({ id }) => id)} />
                </div>
              )}
              <Scrolling label="Dead letters">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">Since</th>
                      <th scope="col">What</th>
                      <th scope="col">Why</th>
                    </tr>
                  </thead>
                  <tbody>
                    {deadLetters.map(({ id, at, body, reason }) => (
                      <tr key={id}>
                        <td>
                          <Time iso={at} />
                        </td>
                        <td>
                          <code>{body}</code>
                        </td>
                        <td>
                          {reason.code}: {reason.message}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Scrolling>
            </>
          )
        }
      </Loaded>
    </section>
  );
}

export function RunPage() {
  const [params] = useParams();
  const id = params.get('id') ?? '';
  const run = useResource<RunDetail>(id === '' ? null : READ.run(id), changes.value);
  return (
    <>
      <p class="crumb">
        <Link href="/runs">All runs</Link>
      </p>
      <Heading title={`Run ${id}`}>Run {id}</Heading>
      {id !== '' && (
        <Loaded resource={run} what="The run">
          {(found) => <Found found={found} />}
        </Loaded>
      )}
    </>
  );
}

function Found({ found: { run, plan, entries, entriesCut } }: { readonly found: RunDetail }) {
  const mayOperate = useMayOperate();
  const { approval } = plan;
  return (
    <>
      {run.stopped !== null && (
        <div class="notice warn">
          <strong>Stopped</strong> ({run.stopped.reason}): <Sentence text={run.stopped.message} />
        </div>
      )}
      <dl class="facts card">
        <dt>Begun</dt>
        <dd>
          <Time iso={run.startedAt} /> by {run.actor}
        </dd>
        <dt>Scan complete</dt>
        <dd>
          <Time iso={run.completedAt} />
        </dd>
        <dt>Policy</dt>
        <dd>
          <code>{run.policyHash ?? '–'}</code>
        </dd>
        {run.coverage !== null && (
          <>
            <dt>Coverage</dt>
            <dd>
              {number(run.coverage.evaluated)} of {count(run.coverage.listed, 'listed account')} evaluated,{' '}
              {number(run.coverage.unknown)} unknown, {number(run.coverage.notApplicable)} not active
            </dd>
          </>
        )}
        <dt>Recorded</dt>
        <dd>
          {Object.entries(entries)
            .map(([type, n]) => `${number(n)} ${typeText(type).toLowerCase()}`)
            .join(', ') || 'nothing'}
          {entriesCut ? ' and more' : ''}
        </dd>
      </dl>
      <section class="card" aria-labelledby="plan">
        <h2 id="plan">Plan</h2>
        <p>
          {plannedText(run)}
          {plan.planHash !== null && (
            <>
              , plan <code>{plan.planHash}</code>
            </>
          )}
          {plan.source === 'ledger' && plan.total > 0 && '. Only the changes that were started are listed'}
        </p>
        {run.changes.total + run.changes.unplanned > 0 && <p>{progressText(run.changes)}</p>}
        {approval !== null && (
          <div class="notice">
            Approved by {approval.actor} <Time iso={approval.at} />
            {approval.reason === null ? '' : `: ${approval.reason}`};{' '}
            {approval.usedAt === null ? (
              <>
                holds until <Time iso={approval.expiresAt} />
              </>
            ) : (
              <>
                used <Time iso={approval.usedAt} />
              </>
            )}
          </div>
        )}
        {mayOperate && plan.approvable && plan.planHash !== null && (
          <div class="actions">
            <Approve planHash={plan.planHash} changes={run.changes.total} />
          </div>
        )}
        <Changes plan={plan} />
      </section>
    </>
  );
}

function Changes({ plan: { changes: found, total } }: { readonly plan: RunDetail['plan'] }) {
  if (found.length === 0) return <Empty>There was nothing to change.</Empty>;
  return (
    <>
      <Scrolling label="Changes of the plan">
        <table>
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col">Organizational unit</th>
              <th scope="col">Enrollment</th>
              <th scope="col">Desired</th>
              <th scope="col">Call</th>
              <th scope="col">What came of it</th>
            </tr>
          </thead>
          <tbody>
            {found.map((change) => (
              <tr key={`${change.accountId} ${change.enrollment} ${change.action}`}>
                <td>
                  <Link href={`/account?id=${change.accountId}`}>{change.name ?? change.accountId}</Link>
                </td>
                <td>{change.ou ?? '–'}</td>
                <td>{ENROLLMENT_WORDS[change.enrollment]}</td>
                <td>{stateText(change.desired, change.desiredRuleMode)}</td>
                <td>{change.action}</td>
                <td>
                  {change.outcome}
                  {change.outcome !== 'succeeded' && <small class="muted">{reasonText(change.reason)}</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolling>
      {found.length < total && (
        <p class="muted">
          The first {number(found.length)} of {number(total)}.
        </p>
      )}
    </>
  );
}
