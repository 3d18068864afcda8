import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { actorName } from '../../../../shared/domain/actor.ts';
import { READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { Heading } from '../parts/heading.tsx';
import { Icon, Mark } from '../parts/icon.tsx';
import { Approve } from '../parts/operate.tsx';
import { RunPill } from '../parts/run-mark.tsx';
import { Loaded } from '../parts/small.tsx';
import { now, Sentence } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import { approvalText, runHref, stoppedEffect, triggerText } from '../run-line.ts';
import { Changes } from '../runs/changes.tsx';
import { Result } from '../runs/result.tsx';
import { useParams } from '../search-params.ts';
import { exactText } from '../time-text.ts';
import type { Run, RunDetail } from '../types.ts';
import { count, factOf } from '../words.ts';

export function RunPage() {
  const [params] = useParams();
  const id = params.get('id') ?? '';
  const resource = useResource<RunDetail>(id === '' ? null : READ.run(id), changes.value);
  const run = resource.data?.run ?? null;
  const title = run === null ? 'Run' : `Run of ${exactText(Date.parse(run.startedAt)).replace(/:\d\d (?=\S+$)/, ' ')}`;
  return (
    <>
      <Heading
        title={title}
        crumb={<Link href="/runs">Runs</Link>}
        beside={run !== null && <RunPill outcome={run.outcome} />}
        sub={run !== null && <Origin run={run} />}
        actions={
          <Link class="btn" href={`/audit?${new URLSearchParams({ run: id, period: 'all' })}`}>
            Audit entries
          </Link>
        }
      >
        {title}
      </Heading>
      {id !== '' && (
        <Loaded resource={resource} what="The run">
          {(found) => <Found found={found} />}
        </Loaded>
      )}
    </>
  );
}

function Origin({ run }: { readonly run: Run }) {
  const [copied, setCopied] = useState(false);
  const trigger = triggerText(run);
  const reason = run.trigger?.reason ?? null;
  return (
    <>
      {trigger === '–' ? `Started by ${actorName(run.actor)}` : trigger}
      {reason !== null && ` (${reason})`}. Run id{' '}
      <span class="mono" title={run.runId}>
        {run.runId}
      </span>{' '}
      <button
        type="button"
        class="icon-btn inline"
        aria-label={copied ? 'Run id copied' : 'Copy run id'}
        onClick={() => void navigator.clipboard.writeText(run.runId).then(() => setCopied(true))}
      >
        {copied ? <Mark name="compliant" class="c-compliant" /> : <Icon name="copy" />}
      </button>
    </>
  );
}

function Found({ found }: { readonly found: RunDetail }) {
  const { run, plan } = found;
  return (
    <>
      {run.stopped === null ? <NeedsApproval found={found} /> : <Stopped found={found} />}
      <Result found={found} />
      {plan.total > 0 && <Changes run={run} />}
    </>
  );
}

/** Why the run makes no changes, with the approval that it asks for. */
function Stopped({ found }: { readonly found: RunDetail }) {
  const { run, plan } = found;
  return (
    <section class="panel" aria-label="Why the run stopped">
      <div class="message">
        <p class="st c-attention">
          <Mark name="attention" />
          <b class="strong">
            <Sentence text={factOf(run.stopped?.message ?? '')} />
          </b>
        </p>
        {plan.approvable && plan.planHash !== null && (
          <>
            <p>
              {stoppedEffect(run.stopped?.reason ?? null)} Plan{' '}
              <code title={plan.planHash}>{plan.planHash.slice(0, 8)}</code> with {count(run.changes.total, 'change')}{' '}
              is stored. An approval is valid for one run within 24 hours.
            </p>
            <span class="actions">
              <Approve planHash={plan.planHash} changes={run.changes.total} configurations={plan.configurations} />
            </span>
          </>
        )}
        <Approved found={found} />
      </div>
    </section>
  );
}

/** The configurations that a run, although not stopped, left unchanged for lack of an approval. */
function NeedsApproval({ found }: { readonly found: RunDetail }) {
  const { configurations, approvable, planHash } = found.plan;
  if (configurations === 0 || planHash === null || !approvable) return null;
  const what = count(configurations, 'organization enrollment configuration');
  return (
    <section class="panel" aria-label="Needs approval">
      <div class="message">
        <p class="st c-attention">
          <Mark name="attention" />
          <b class="strong">
            {what} set by somebody else {configurations === 1 ? 'contradicts' : 'contradict'} the policy
          </b>
        </p>
        <p>
          Rollcall changes {configurations === 1 ? 'it' : 'them'} only after you approve stored plan{' '}
          <code title={planHash}>{planHash.slice(0, 8)}</code>. An approval is valid for one run within 24 hours.
        </p>
        <span class="actions">
          <Approve planHash={planHash} changes={null} configurations={configurations} />
        </span>
      </div>
    </section>
  );
}

/** Who approved the plan, and the run that used the approval. */
function Approved({ found: { run, plan } }: { readonly found: RunDetail }) {
  if (plan.approval === null) return null;
  const { text, usedBy } = approvalText(run, plan.approval, now.value);
  return (
    <>
      <p>{text}</p>
      {usedBy !== null && (
        <span class="actions">
          <Link class="btn" href={runHref(usedBy)}>
            View the run that made the changes
          </Link>
        </span>
      )}
    </>
  );
}
