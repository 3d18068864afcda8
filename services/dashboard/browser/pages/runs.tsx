import { Link } from 'wouter-preact';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { READ } from '../endpoints.ts';
import { useMayOperate } from '../frame/source.ts';
import { changes } from '../live.ts';
import { Button } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { RunProgress } from '../parts/now.tsx';
import { Approve, Redrive } from '../parts/operate.tsx';
import { Empty, Fact, Loaded } from '../parts/small.tsx';
import { DataTable } from '../parts/table.tsx';
import { Sentence, Time } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { DeadLetters, Run, RunDetail, Runs, Status } from '../types.ts';
import { changesText, count, number, progressText, reasonText, stateText, typeText } from '../words.ts';

export function RunsPage() {
  const [params, change] = useParams();
  const status = useResource<Status>(READ.status, changes.value);
  const runs = useResource<Runs>(READ.runs(params.get('before')), changes.value);
  return (
    <>
      <Heading title="Runs">Runs</Heading>
      <section class="card" aria-label="Current run">
        <RunProgress queue={status.data?.queue} />
      </section>
      <Loaded resource={runs} what="The runs">
        {({ runs: found, next }) =>
          found.length === 0 ? (
            <Empty>No runs yet.</Empty>
          ) : (
            <section class="card" aria-label="All runs">
              <RunsTable runs={found} />
              {(params.has('before') || next !== null) && (
                <div class="actions">
                  {params.has('before') && <Button onClick={() => change({ before: null })}>Latest runs</Button>}
                  {next !== null && <Button onClick={() => change({ before: next })}>Older runs</Button>}
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
    <DataTable
      label="Runs, newest first"
      rows={runs}
      keyOf={({ runId }) => runId}
      columns={[
        [
          'Started',
          ({ runId, startedAt }) => (
            <>
              <Link href={`/run?id=${encodeURIComponent(runId)}`}>
                <Time iso={startedAt} />
              </Link>
              <small class="muted">{runId}</small>
            </>
          ),
        ],
        ['By', ({ actor }) => actor],
        ['Changes', (run) => (run.completedAt === null ? '–' : plannedText(run))],
        ['Result', ({ changes: made }) => (made.total + made.unplanned === 0 ? '–' : progressText(made))],
        ['State', stateOf],
      ]}
    />
  );
}

/** The planned changes. For runs of older versions only the total is known. */
function plannedText({ totals, changes }: Run): string {
  return totals === null ? count(changes.total, 'change') : changesText(totals);
}

function stateOf({ stopped, completedAt }: Run): string {
  if (stopped !== null) return `Stopped: ${reasonText(stopped.reason)}`;
  return completedAt === null ? 'Scanning or interrupted' : 'Scan complete';
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
            <Empty>No dead letters.</Empty>
          ) : (
            <>
              {mayOperate && (
                <div class="actions">
                  <Redrive ids={deadLetters.map(({ id }) => id)} />
                </div>
              )}
              <DataTable
                label="Dead letters"
                rows={deadLetters}
                keyOf={({ id }) => id}
                columns={[
                  ['Since', ({ at }) => <Time iso={at} />],
                  ['Message', ({ body }) => <code>{body}</code>],
                  ['Reason', ({ reason: { code, message } }) => `${code}: ${message}`],
                ]}
              />
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
        <Fact term="Started">
          <Time iso={run.startedAt} /> by {run.actor}
        </Fact>
        <Fact term="Scan complete">
          <Time iso={run.completedAt} />
        </Fact>
        <Fact term="Policy">
          <code>{run.policyHash ?? '–'}</code>
        </Fact>
        <Fact term="Coverage">
          {run.coverage !== null && (
            <>
              {number(run.coverage.evaluated)} of {count(run.coverage.listed, 'listed account')} evaluated,{' '}
              {number(run.coverage.unknown)} unknown, {number(run.coverage.notApplicable)} not active
            </>
          )}
        </Fact>
        <Fact term="Recorded">
          {Object.entries(entries)
            .map(([type, n]) => `${number(n)} ${typeText(type).toLowerCase()}`)
            .join(', ') || 'nothing'}
          {entriesCut ? ' and more' : ''}
        </Fact>
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
          {plan.source === 'ledger' && plan.total > 0 && '. Only changes that were started are listed'}
        </p>
        {run.changes.total + run.changes.unplanned > 0 && <p>{progressText(run.changes)}</p>}
        {approval !== null && (
          <div class="notice">
            Approved by {approval.actor} <Time iso={approval.at} />
            {approval.reason === null ? '' : `: ${approval.reason}`};{' '}
            {approval.usedAt === null ? 'valid until' : 'used'} <Time iso={approval.usedAt ?? approval.expiresAt} />
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
  if (found.length === 0) return <Empty>No changes.</Empty>;
  return (
    <>
      <DataTable
        label="Changes of the plan"
        rows={found}
        keyOf={({ accountId, enrollment, action }) => `${accountId} ${enrollment} ${action}`}
        columns={[
          ['Account', ({ accountId, name }) => <Link href={`/account?id=${accountId}`}>{name ?? accountId}</Link>],
          ['Organizational unit', ({ ou }) => ou ?? '–'],
          ['Enrollment', ({ enrollment }) => TITLES[enrollment]],
          ['Desired', ({ desired, desiredRuleMode }) => stateText(desired, desiredRuleMode)],
          ['Call', ({ action }) => action],
          [
            'Outcome',
            ({ outcome, reason }) => (
              <>
                {outcome}
                {outcome !== 'succeeded' && <small class="muted">{reasonText(reason)}</small>}
              </>
            ),
          ],
        ]}
      />
      {found.length < total && (
        <p class="muted">
          Showing the first {number(found.length)} of {number(total)}.
        </p>
      )}
    </>
  );
}
