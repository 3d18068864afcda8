import { Link } from 'wouter-preact';
import { actorName } from '../../../../shared/domain/actor.ts';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { Mark } from '../parts/icon.tsx';
import { Approve, Redrive, ScanNow } from '../parts/operate.tsx';
import { Age, Sentence, Time } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import { stoppedEffect } from '../run-line.ts';
import type { DeadLetters, Overview, Status } from '../types.ts';
import { count, factOf, listed, number, sentence, wordsOf } from '../words.ts';
import { ShowFix } from './fix.tsx';

type Row = Overview['attention'][number];

interface AttentionProps {
  readonly status: Status;
  readonly overview: Overview;
}

/** What needs attention, by reason, each with the command that resolves it. */
export function Attention({ status, overview: { attention } }: AttentionProps) {
  const enrollments = attention.reduce((sum, row) => sum + row.count, 0);
  const accounts = status.accounts.statuses['Needs attention'];
  return (
    <section class="panel a-needs" aria-labelledby="needs">
      <header>
        <h2 id="needs">Needs attention</h2>
        {enrollments > 0 && (
          <>
            <span class="sub">
              {count(enrollments, 'enrollment')} in {count(accounts, 'account')}
            </span>
            <Link class="right" href={accountsWith({})}>
              View all
            </Link>
          </>
        )}
      </header>
      <Guardrail status={status} />
      {attention.length > 0 ? <Rows rows={attention} /> : status.guardrail === null && <Nothing status={status} />}
    </section>
  );
}

const accountsWith = (query: Readonly<Record<string, string>>): string =>
  `/accounts?${new URLSearchParams({ status: 'Needs attention', ...query })}`;

function Nothing({ status: { openDrift, lastScan, halted } }: { readonly status: Status }) {
  if (lastScan.completedAt === null) {
    return (
      <div class="message">
        <p>
          <b class="strong">No scan yet.</b> The first scan reads all accounts and their enrollments.
        </p>
        <ScanNow />
      </div>
    );
  }
  return (
    <div class="message">
      <p class="st c-compliant">
        <Mark name="compliant" />
        <b class="strong">
          {openDrift.enrollments === 0
            ? 'All managed accounts comply with the policy.'
            : halted === null
              ? 'Nothing needs attention: the open drift resolves by itself or is only reported.'
              : 'No account needs attention. Open drift waits until you resume remediation.'}
        </b>
      </p>
      <p>
        Last scan <Time iso={lastScan.completedAt} zoned />.
      </p>
    </div>
  );
}

/** A run that a guardrail stopped, with the plan to approve. An approval lifts only two of the guardrails. */
function Guardrail({ status: { guardrail, approvals, lastScan } }: { readonly status: Status }) {
  if (guardrail === null) return null;
  const approval = approvals.find(({ planHash }) => planHash === guardrail.planHash);
  const approvable = approval === undefined && (guardrail.reason === 'maxChanges' || guardrail.reason === 'rollout');
  return (
    <div class="message">
      <p class="st c-attention">
        <Mark name="attention" />
        <b class="strong">A guardrail stopped the last run</b>
      </p>
      <p>
        {guardrail.message !== null && <Sentence text={`${sentence(factOf(guardrail.message))}. `} />}
        {approval === undefined
          ? `${stoppedEffect(guardrail.reason)}${approvable ? ' An approval is valid for one run within 24 hours.' : ''}`
          : `Approved by ${actorName(approval.actor)}: the next run makes these changes.`}
      </p>
      {guardrail.planHash !== null && (
        <p class="muted small">
          Plan <code title={guardrail.planHash}>{guardrail.planHash.slice(0, 8)}</code>
        </p>
      )}
      <span class="actions">
        {guardrail.planHash !== null && lastScan.runId !== null && (
          <Link class="btn" href={`/run?id=${lastScan.runId}`}>
            Review plan
          </Link>
        )}
        {guardrail.planHash !== null && approvable && (
          <Approve planHash={guardrail.planHash} changes={null} configurations={null} />
        )}
      </span>
    </div>
  );
}

function Rows({ rows }: { readonly rows: readonly Row[] }) {
  return (
    <table class="grid roomy cards issues">
      <colgroup>
        <col />
        <col class="w-id" />
        <col class="w-since drop-s" />
        <col class="w-act" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col" class="num">
            Affected
          </th>
          <th scope="col" class="num drop-s">
            Oldest
          </th>
          <th scope="col" class="act">
            <span class="sr">Action</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.reason}>
            <td class="wide-cell">
              <span class="st c-attention">
                <Mark name="attention" />
                <b class="strong">{sentence(wordsOf(row.reason).short)}</b>
              </span>{' '}
              <span class="tag">{listed(row.enrollments.map((id) => TITLES[id]))}</span>
              <small title={whyText(row)}>{whyText(row)}</small>
            </td>
            <td class="num">
              <Link href={accountsWith(row.reason === 'prerequisite' ? {} : { reason: row.reason })}>
                {count(row.accounts, 'account')}
              </Link>
            </td>
            <td class="num muted drop-s">
              <Age iso={row.oldestSince} />
            </td>
            <td class="act">
              <Action row={row} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function whyText({ reason, actors }: Row): string {
  if (actors.length === 0) return sentence(wordsOf(reason).text);
  const by = actors.map(
    ({ actor, count: n }) => `${number(n)} ${actor === null ? 'unknown' : `by ${actorName(actor)}`}`,
  );
  return `Reverted repeatedly: ${listed(by)}`;
}

function Action({ row }: { readonly row: Row }) {
  const { reason, accounts, examples } = row;
  const [first] = examples;
  const only = accounts === 1 && first !== undefined ? `/account?id=${first}` : null;
  switch (reason) {
    case 'policyContradiction':
      return <ActionLink href="/policy" text="View policy" />;
    case 'contested':
      return <ActionLink href={only ?? accountsWith({ reason })} text="Settle…" />;
    case 'deadLettered':
      return <RedriveAll />;
    case 'deadlinePassed':
      return <ScanNow label="Check again" look="tiny" />;
    case 'enrollmentFailed':
      return (
        <ActionLink href={only ?? accountsWith({ reason })} text={only === null ? 'View accounts' : 'View account'} />
      );
    default:
      return <ShowFix reason={reason} accountId={first ?? null} />;
  }
}

const ActionLink = ({ href, text }: { readonly href: string; readonly text: string }) => (
  <Link class="btn tiny" href={href}>
    {text}
  </Link>
);

function RedriveAll() {
  const letters = useResource<DeadLetters>(READ.deadLetters, changes.value);
  const ids = (letters.data?.deadLetters ?? []).map(({ id }) => id);
  return ids.length === 0 ? <ActionLink href="/operations" text="View" /> : <Redrive ids={ids} label="Redrive…" />;
}
