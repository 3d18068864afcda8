import { Link } from 'wouter-preact';
import { READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { Heading } from '../parts/heading.tsx';
import { Fact, Loaded } from '../parts/small.tsx';
import { DataTable } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import type { Policy } from '../types.ts';
import { duration, FIELD_WORDS, number } from '../words.ts';

export function PolicyPage() {
  const policy = useResource<Policy>(READ.policy, changes.value);
  return (
    <>
      <Heading title="Policy">Policy</Heading>
      <Loaded resource={policy} what="The policy">
        {(found) => (
          <>
            <Warnings policy={found} />
            <Head policy={found} />
            <Rules policy={found} />
            <Exemptions policy={found} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Warnings({ policy: { warnings, inForce } }: { readonly policy: Policy }) {
  return (
    <>
      {!inForce && <div class="notice warn">No scan has used this policy yet.</div>}
      {warnings.map(({ line, column, message, hint }) => (
        <div class="notice warn" key={`${line}:${column} ${message}`}>
          <strong>
            Line {line}, column {column}:
          </strong>{' '}
          {message}. {hint}
        </div>
      ))}
    </>
  );
}

type Match = Policy['rules'][number]['match'];

/** A selector as text. An account must meet all of its conditions. */
function matchText({ accounts, name, ou, tags, not }: Match): string {
  const parts = [
    ...(ou === undefined ? [] : [`in ${ou.join(' or ')}`]),
    ...(accounts === undefined ? [] : [`account ${accounts.join(' or ')}`]),
    ...(name === undefined ? [] : [`named ${name.join(' or ')}`]),
    ...Object.entries(tags ?? {}).map(([key, values]) => `tagged ${key}=${values.join(' or ')}`),
    ...(not === undefined ? [] : [`not (${matchText(not)})`]),
  ];
  return parts.join(', and ') || 'every account';
}

const cap = ({ percent, atLeast }: { readonly percent: number; readonly atLeast: number }): string =>
  `${percent}% of accounts, at least ${atLeast}`;

function scheduleText({ schedule: { everyMs, cron, timezone } }: Policy): string {
  return everyMs === undefined ? `${cron ?? '–'} (${timezone ?? 'UTC'})` : `every ${duration(everyMs)}`;
}

function Head({ policy }: { readonly policy: Policy }) {
  const { hash, guardrails, windows, limits, rollout, retentionMs, snapshotAt, notify } = policy;
  return (
    <dl class="facts columns card">
      <Fact term="Hash">
        <code>{hash}</code>
      </Fact>
      <Fact term="Accounts read">
        <Time iso={snapshotAt} />
      </Fact>
      <Fact term="Scans">{scheduleText(policy)}</Fact>
      <Fact term="Change cap in 24 hours">{cap(guardrails.maxChanges)}</Fact>
      <Fact term="Opt-out cap in 24 hours">{cap(guardrails.maxOptOuts)}</Fact>
      <Fact term="Coverage">at least {guardrails.minCoverage}%</Fact>
      <Fact term="Failures">at most {guardrails.failureTolerance}%</Fact>
      <Fact term="Rate limit">
        {limits.callsPerSecond === 'auto'
          ? 'adapts to what AWS accepts'
          : `at most ${number(limits.callsPerSecond)} calls per second`}
        , {number(limits.concurrency)} at a time
      </Fact>
      <Fact term="Change windows">
        {windows.length === 0
          ? 'always'
          : windows.map((w) => `${w.kind} ${w.cron} for ${duration(w.durationMs)} (${w.timezone})`).join('; ')}
      </Fact>
      <Fact term="Canaries">
        {rollout === null
          ? 'none'
          : `${matchText(rollout.match)} (${rollout.canaries ?? '?'}), then ${duration(rollout.waitMs)}`}
      </Fact>
      <Fact term="Retention">{retentionMs === null ? 'forever' : duration(retentionMs)}</Fact>
      <Fact term="Notifications">
        {[notify?.eventBus, notify?.webhook?.host].filter((each) => each !== null && each !== undefined).join(', ') ||
          'none'}
      </Fact>
    </dl>
  );
}

const setsText = (sets: Readonly<Record<string, unknown>>): string =>
  Object.entries(FIELD_WORDS)
    .flatMap(([name, words]) => (sets[name] === undefined ? [] : [`${words}: ${sets[name]}`]))
    .join(', ');

const known = (accounts: number | null): string => (accounts === null ? '–' : number(accounts));

function Rules({ policy: { rules, defaults } }: { readonly policy: Policy }) {
  return (
    <section class="card" aria-labelledby="rules">
      <h2 id="rules">Rules</h2>
      <p class="muted">Rules apply from top to bottom. For each field, the first matching rule that sets it decides.</p>
      <DataTable
        label="Rules of the policy"
        rowHeader
        rows={[
          ...rules.map(({ match, ...rule }) => ({ ...rule, accounts: matchText(match) })),
          {
            ...{ id: 'defaults', accounts: 'everything that no rule decides', sets: defaults },
            ...{ matched: null, deciding: defaults.accounts },
          },
        ]}
        keyOf={({ id }) => id}
        columns={[
          ['Rule', ({ id }) => <Link href={`/accounts?rule=${encodeURIComponent(id)}`}>{id}</Link>],
          ['Accounts', ({ accounts }) => accounts],
          ['Sets', ({ sets }) => setsText(sets)],
          ['Matched', ({ matched }) => known(matched)],
          ['Decides for', ({ deciding }) => known(deciding)],
        ]}
      />
    </section>
  );
}

function Exemptions({ policy: { exemptions } }: { readonly policy: Policy }) {
  return (
    <section class="card" aria-labelledby="exemptions">
      <h2 id="exemptions">Exemptions</h2>
      <DataTable
        none="No exemptions."
        label="Exemptions"
        rows={exemptions}
        keyOf={({ accounts, endsAt, reason }) => `${accounts.join()} ${endsAt} ${reason}`}
        columns={[
          ['Accounts', ({ accounts }) => accounts.join(', ')],
          ['Until', ({ endsAt }) => <Time iso={endsAt} />],
          ['Reason', ({ reason }) => reason],
          ['Owner', ({ owner }) => owner],
          ['In force', ({ inForce }) => (inForce ? 'yes' : 'no')],
        ]}
      />
    </section>
  );
}
