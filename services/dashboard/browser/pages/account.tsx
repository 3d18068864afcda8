import { Link } from 'wouter-preact';
import { sourceText } from '../../../../shared/domain/enrollment/governing-configuration.ts';
import {
  ENROLLMENT_IDS,
  type EnrollmentId,
  kindsInUse,
  TITLES,
} from '../../../../shared/domain/enrollment/kinds/index.ts';
import { shownFields } from '../../../../shared/domain/policy/types.ts';
import { get } from '../api.ts';
import { READ } from '../endpoints.ts';
import { useMayOperate } from '../frame/source.ts';
import { changes } from '../live.ts';
import { Heading } from '../parts/heading.tsx';
import { StatusMark } from '../parts/icon.tsx';
import { Resume, Suspend } from '../parts/operate.tsx';
import { Empty, Fact, Loaded } from '../parts/small.tsx';
import { DataTable } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { Account, Condition, Explanation } from '../types.ts';
import { FIELD_WORDS, stateText } from '../words.ts';

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
      <Heading title={`Account ${name}`}>{name || 'No account selected'}</Heading>
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
  const suspended = ENROLLMENT_IDS.some((id) => enrollments[id]?.verdict === 'Suspended');
  return (
    <>
      <dl class="facts card">
        <Fact term="Account">
          <code>{accountId}</code>
        </Fact>
        <Fact term="Organizational unit">{account?.ou ?? '–'}</Fact>
        <Fact term="State">
          {account?.state ?? '–'}
          {present ? '' : ' · not a member as of the last complete scan'}
          {account?.management === true ? ' · management account' : ''}
        </Fact>
        <Fact term="Tags">{tagsText(account?.tags ?? null)}</Fact>
        <Fact term="As of">
          <Time iso={snapshotAt} />
        </Fact>
      </dl>
      {mayOperate && (
        <div class="actions">{suspended ? <Resume selector={accountId} /> : <Suspend selector={accountId} />}</div>
      )}
      <div class="cards">
        {kindsInUse((id) => enrollments[id] !== null).map(({ id }) => (
          <Standing key={id} enrollment={id} found={found} />
        ))}
      </div>
      {explanation === null ? (
        <p class="muted">The policy decision cannot be explained: {notExplained}.</p>
      ) : (
        <Explained explanation={explanation} />
      )}
      <section class="card" aria-labelledby="timeline">
        <h2 id="timeline">Timeline</h2>
        <Timeline
          key={accountId}
          first={{ entries: found.timeline, next: found.next }}
          readOlder={(cursor) => get(READ.audit({ account: accountId }, cursor))}
          none="No entries recorded for this account."
        />
      </section>
    </>
  );
}

/** `null`: the tags were not read. */
function tagsText(tags: Readonly<Record<string, string>> | null): string | null {
  if (tags === null) return null;
  const pairs = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return pairs.join(', ') || 'none';
}

interface StandingProps {
  readonly enrollment: EnrollmentId;
  readonly found: Account;
}

function Standing({ enrollment, found: { accountId, account, enrollments } }: StandingProps) {
  const condition = enrollments[enrollment];
  return (
    <article>
      <h2>{TITLES[enrollment]}</h2>
      {condition === null ? (
        <Empty>No status recorded yet.</Empty>
      ) : (
        <Facts condition={condition} source={sourceText(condition, accountId, account)} />
      )}
    </article>
  );
}

function Facts({ condition, source }: { readonly condition: Condition; readonly source: string | null }) {
  const { complianceStatus, message, status, ruleMode, desired, desiredRuleMode, rule } = condition;
  const { since, driftSince, notBefore, deadline, attempts } = condition;
  const desiredText =
    desired === null && desiredRuleMode === null ? 'not set by the policy' : stateText(desired, desiredRuleMode);
  return (
    <dl class="facts">
      <Fact term="Status">
        <StatusMark status={complianceStatus} />
      </Fact>
      <Fact term="Reason">{message}</Fact>
      <Fact term="Observed">{stateText(status, ruleMode)}</Fact>
      <Fact term="Rule mode">{source}</Fact>
      <Fact term="Desired">{desiredText}</Fact>
      <Fact term="Rule">{rule ?? '–'}</Fact>
      <Fact term="Since">
        <Time iso={since} />
      </Fact>
      <Fact term="Drift since">{driftSince !== null && <Time iso={driftSince} />}</Fact>
      <Fact term="Not before">{notBefore !== null && <Time iso={notBefore} />}</Fact>
      <Fact term="Deadline">{deadline !== null && <Time iso={deadline} />}</Fact>
      <Fact term="Attempts">{attempts > 0 && attempts}</Fact>
    </dl>
  );
}

/** Shows which rule decided each field, and why the other rules did not. */
function Explained({ explanation }: { readonly explanation: Explanation }) {
  const { desired, rules, canary } = explanation;
  return (
    <section class="card" aria-labelledby="explained">
      <h2 id="explained">How the policy decides</h2>
      {desired.contradiction !== null && (
        <p class="problem">The policy contradicts itself for this account: {desired.contradiction.message}</p>
      )}
      <ul>
        {shownFields(desired).map((field) => (
          <li key={field}>
            {FIELD_WORDS[field]}: <strong>{desired[field].value}</strong>, decided by{' '}
            <strong>{desired[field].rule === 'defaults' ? 'the defaults' : `rule ${desired[field].rule}`}</strong>
          </li>
        ))}
        {canary && <li>Canary account: changed before the others.</li>}
      </ul>
      <details>
        <summary>All rules and whether they match</summary>
        <DataTable
          label="Rules for this account"
          rowHeader
          rows={rules}
          keyOf={({ id }) => id}
          columns={[
            ['Rule', ({ id }) => id],
            ['Matches', ({ matched }) => (matched ? 'yes' : 'no')],
            [
              'Reason',
              ({ conditions }) =>
                conditions.map(({ condition, why }) => `${condition}: ${why}`).join('; ') || 'applies to all accounts',
            ],
            ['Decides', ({ decided }) => decided.map((field) => FIELD_WORDS[field]).join(', ') || '–'],
          ]}
        />
      </details>
    </section>
  );
}
