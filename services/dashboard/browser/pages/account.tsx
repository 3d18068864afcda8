import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { get } from '../api.ts';
import { READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { EntryView, toneOf } from '../parts/entry.tsx';
import { Resume, Suspend, useMayOperate } from '../parts/operate.tsx';
import { Empty, Heading, Loaded, Scrolling, Time, Verdict } from '../parts/small.tsx';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { Account, AuditPage, Condition, Entry, Explanation } from '../types.ts';
import { ENROLLMENT_WORDS, reasonText, stateText } from '../words.ts';

export function AccountPage() {
  const [params] = useParams();
  const id = params.get('id') ?? '';
  const account = useResource<Account>(id === '' ? null : READ.account(id), changes.value);
  const name = account.data?.account?.name ?? id;
  return (
    <>
      <p class="crumb">
        <Link href="/accounts">All accounts</Link>
      </p>
      <Heading title={`Account ${name}`}>{name || 'No account was named'}</Heading>
      {id !== '' && (
        <Loaded resource={account} what="The account">
          {(found) => <Found found={found} />}
        </Loaded>
      )}
    </>
  );
}

function Found({ found }: { readonly found: Account }) {
  const { accountId, account, present, enrollments, explanation, notExplained, snapshotAt } = found;
  const mayOperate = useMayOperate();
  const suspended = [enrollments.computeOptimizer, enrollments.automation].some(
    (each) => each?.verdict === 'Suspended',
  );
  return (
    <>
      <dl class="facts card">
        <dt>Account</dt>
        <dd>
          <code>{accountId}</code>
        </dd>
        <dt>Organizational unit</dt>
        <dd>{account?.ou ?? '–'}</dd>
        <dt>State</dt>
        <dd>
          {account?.state ?? '–'}
          {present ? '' : ' · not a member as of the last complete scan'}
          {account?.management === true ? ' · management account' : ''}
        </dd>
        {account?.tags !== null && account?.tags !== undefined && (
          <>
            <dt>Tags</dt>
            <dd>
              {Object.entries(account.tags)
                .map(([key, value]) => `${key}=${value}`)
                .join(', ') || 'none'}
            </dd>
          </>
        )}
        <dt>As of</dt>
        <dd>
          <Time iso={snapshotAt} />
        </dd>
      </dl>
      {mayOperate && (
        <div class="actions">{suspended ? <Resume selector={accountId} /> : <Suspend selector={accountId} />}</div>
      )}
      <div class="cards">
        <Standing enrollment="computeOptimizer" condition={enrollments.computeOptimizer} />
        <Standing enrollment="automation" condition={enrollments.automation} />
      </div>
      {explanation === null ? (
        <p class="muted">The policy's part is not explained: {notExplained}.</p>
      ) : (
        <Explained explanation={explanation} />
      )}
      <Timeline key={accountId} found={found} />
    </>
  );
}

interface StandingProps {
  readonly enrollment: 'computeOptimizer' | 'automation';
  readonly condition: Condition | null;
}

function Standing({ enrollment, condition }: StandingProps) {
  return (
    <article>
      <h2>{ENROLLMENT_WORDS[enrollment]}</h2>
      {condition === null ? <Empty>Nothing is known yet.</Empty> : <Facts condition={condition} />}
    </article>
  );
}

function Facts({ condition }: { readonly condition: Condition }) {
  const { verdict, reason, status, ruleMode, desired, desiredRuleMode, rule } = condition;
  const { since, driftSince, notBefore, deadline, attempts } = condition;
  const desiredText = desired === null && desiredRuleMode === null ? 'left alone' : stateText(desired, desiredRuleMode);
  return (
    <dl class="facts">
      <dt>Verdict</dt>
      <dd>
        <Verdict verdict={verdict} />
      </dd>
      {reason !== null && (
        <>
          <dt>Why</dt>
          <dd>
            {reasonText(reason)} <code>{reason}</code>
          </dd>
        </>
      )}
      <dt>Observed</dt>
      <dd>{stateText(status, ruleMode)}</dd>
      <dt>Desired</dt>
      <dd>{desiredText}</dd>
      <dt>Rule</dt>
      <dd>{rule ?? '–'}</dd>
      <dt>Since</dt>
      <dd>
        <Time iso={since} />
      </dd>
      {driftSince !== null && (
        <>
          <dt>Drift since</dt>
          <dd>
            <Time iso={driftSince} />
          </dd>
        </>
      )}
      {notBefore !== null && (
        <>
          <dt>Not before</dt>
          <dd>
            <Time iso={notBefore} />
          </dd>
        </>
      )}
      {deadline !== null && (
        <>
          <dt>Deadline</dt>
          <dd>
            <Time iso={deadline} />
          </dd>
        </>
      )}
      {attempts > 0 && (
        <>
          <dt>Attempts</dt>
          <dd>{attempts}</dd>
        </>
      )}
    </dl>
  );
}

const FIELD_WORDS = {
  computeOptimizer: 'Compute Optimizer',
  automation: 'Automation',
  organizationRules: 'organization rules',
  mode: 'mode',
} as const;

/** Which rule decided what, and why the others did not. */
function Explained({ explanation }: { readonly explanation: Explanation }) {
  const { desired, rules, canary } = explanation;
  return (
    <section class="card" aria-labelledby="explained">
      <h2 id="explained">Why the policy wants this</h2>
      {desired.contradiction !== null && (
        <p class="problem">The policy contradicts itself for this account: {desired.contradiction.message}</p>
      )}
      <ul>
        {(['computeOptimizer', 'automation', 'organizationRules', 'mode'] as const).map((field) => (
          <li key={field}>
            {FIELD_WORDS[field]}: <strong>{desired[field].value}</strong>, decided by{' '}
            <strong>{desired[field].rule === 'defaults' ? 'the defaults' : `rule ${desired[field].rule}`}</strong>
          </li>
        ))}
        {canary && <li>It is a canary: changed before the others.</li>}
      </ul>
      <details>
        <summary>Every rule, and whether it matches</summary>
        <Scrolling label="Rules for this account">
          <table>
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col">Matches</th>
                <th scope="col">Because</th>
                <th scope="col">Decides</th>
              </tr>
            </thead>
            <tbody>
              {rules.map(({ id, matched, conditions, decided }) => (
                <tr key={id}>
                  <th scope="row">{id}</th>
                  <td>{matched ? 'yes' : 'no'}</td>
                  <td>
                    {conditions.map(({ condition, why }) => `${condition}: ${why}`).join('; ') || 'it is for all'}
                  </td>
                  <td>{decided.map((field) => FIELD_WORDS[field]).join(', ') || '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolling>
      </details>
    </section>
  );
}

interface Older {
  readonly entries: readonly Entry[];
  readonly next: string | null;
}

function Timeline({ found }: { readonly found: Account }) {
  const [older, setOlder] = useState<Older | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const next = older === null ? found.next : older.next;
  const more = async (): Promise<void> => {
    try {
      const page: AuditPage = await get(READ.audit({ account: found.accountId }, next));
      setOlder({ entries: [...(older?.entries ?? []), ...page.entries], next: page.next });
      setProblem(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const known = new Set(found.timeline.map(({ id }) => id));
  const entries = [...found.timeline, ...(older?.entries ?? []).filter(({ id }) => !known.has(id))];
  return (
    <section class="card" aria-labelledby="timeline">
      <h2 id="timeline">Timeline</h2>
      {entries.length === 0 && <Empty>Nothing has been recorded about it.</Empty>}
      <ol class="timeline">
        {entries.map((entry) => (
          <li key={entry.id} data-tone={toneOf(entry)}>
            <EntryView entry={entry} />
          </li>
        ))}
      </ol>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {next !== null && (
        <div class="actions">
          <button type="button" class="secondary" onClick={more}>
            Older entries
          </button>
        </div>
      )}
    </section>
  );
}
