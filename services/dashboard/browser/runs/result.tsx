import { Link } from 'wouter-preact';
import { actorName } from '../../../../shared/domain/actor.ts';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { now, Time } from '../parts/time.tsx';
import {
  ADDED_WHY,
  AGAIN_WHY,
  addedText,
  CHANGE_OUTCOMES,
  doneText,
  driftedAgainText,
  runDuration,
  splitText,
} from '../run-line.ts';
import type { RunDetail } from '../types.ts';
import { count, number } from '../words.ts';
import { Outcomes } from './outcomes.tsx';

/** What the run changed, by outcome and enrollment, and what it is based on. */
export function Result({ found }: { readonly found: RunDetail }) {
  const { run, accounts } = found;
  const { total } = run.changes;
  const split = splitText(run);
  return (
    <section class="panel" aria-labelledby="result">
      <header>
        <h2 id="result">
          {total === 0 ? 'No planned changes' : `${count(total, 'change')} in ${count(accounts, 'account')}`}
        </h2>
        {split !== null && <span class="sub">{split}</span>}
        <Later text={addedText(run)} why={ADDED_WHY} />
        <Later text={driftedAgainText(run)} why={AGAIN_WHY} />
        <span class="right muted">{doneText(run, runDuration(run, now.value))}</span>
      </header>
      {total > 0 && (
        <div class="body">
          <Outcomes outcomes={run.outcomes} />
          <ByKind found={found} />
        </div>
      )}
      <Facts found={found} />
    </section>
  );
}

/** What happened after the run was planned. */
function Later({ text, why }: { readonly text: string | null; readonly why: string }) {
  if (text === null) return null;
  return (
    <span class="sub" title={why}>
      {text}
      <span class="sr"> ({why})</span>
    </span>
  );
}

function ByKind({ found: { run, kinds } }: { readonly found: RunDetail }) {
  // Worst first, like the tabs below: on a narrow screen, the last columns are out of sight.
  const columns = CHANGE_OUTCOMES.filter(
    (each) => (run.outcomes[each] ?? 0) > 0 || each === 'Needs attention' || each === 'Succeeded',
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Result by enrollment">
      <table class="mini result">
        <thead>
          <tr>
            <th scope="col">Enrollment</th>
            <th scope="col" class="num">
              Changes
            </th>
            {columns.map((each) => (
              <th key={each} scope="col" class="num">
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {kinds.map(({ enrollment, total, outcomes }) => (
            <tr key={enrollment}>
              <td>{TITLES[enrollment]}</td>
              <td class="num">{number(total)}</td>
              {columns.map((each) => (
                <td key={each} class="num part">
                  {number(outcomes[each] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
          <tr class="sum">
            <td>All</td>
            <td class="num">{number(run.changes.total)}</td>
            {columns.map((each) => (
              <td key={each} class="num">
                {number(run.outcomes[each] ?? 0)}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function Facts({ found: { run, plan } }: { readonly found: RunDetail }) {
  const { coverage, completedAt, startedAt, totals, policyHash, drift } = run;
  const { approval, planHash } = plan;
  const active = coverage === null ? 0 : coverage.evaluated + coverage.unknown;
  return (
    <dl class="strip lined">
      <div>
        <dt>Scan</dt>
        <dd>
          {coverage === null ? 'Not complete' : count(active + coverage.notApplicable, 'account')}
          {completedAt !== null && <small>{runDuration({ ...run, startedAt, endedAt: completedAt }, now.value)}</small>}
        </dd>
      </div>
      {coverage !== null && (
        <div>
          <dt>Coverage</dt>
          <dd>
            {number(coverage.evaluated)} of {number(active)} active
            <small>
              {number(coverage.unknown)} unknown, {number(coverage.notApplicable)} not active
            </small>
          </dd>
        </div>
      )}
      <div>
        <dt>Drift found</dt>
        <dd>{drift === null ? '–' : number(drift)}</dd>
      </div>
      <div>
        <dt>Policy</dt>
        <dd>
          {policyHash === null ? (
            '–'
          ) : (
            <Link class="mono" href="/policy" title={policyHash}>
              {policyHash.slice(0, 8)}
            </Link>
          )}
        </dd>
      </div>
      <div>
        <dt>Plan</dt>
        <dd>
          <span class="mono" title={planHash ?? ''}>
            {planHash?.slice(0, 8) ?? '–'}
          </span>
          {totals !== null && run.changes.total > 0 && <small>{count(totals.calls, 'planned call')}</small>}
        </dd>
      </div>
      {approval !== null && (
        <div>
          <dt>Approved</dt>
          <dd title={approval.actor}>
            {actorName(approval.actor)}
            <small>
              <Time iso={approval.at} />
              {approval.reason !== null && `: ${approval.reason}`}
            </small>
          </dd>
        </div>
      )}
    </dl>
  );
}
