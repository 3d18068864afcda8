import { Link } from 'wouter-preact';
import { READ } from '../endpoints.ts';
import { changes } from '../live.ts';
import { Empty, Heading, Loaded, Scrolling, Time } from '../parts/small.tsx';
import { useResource } from '../resource.ts';
import type { Policy } from '../types.ts';
import { duration, number } from '../words.ts';

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
      {!inForce && <div class="notice warn">No scan has been made under this policy yet.</div>}
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

/** A selector in words; all of its conditions have to hold. */
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
  `${percent} % of the accounts, at least ${atLeast}`;

function scheduleText({ schedule: { everyMs, cron, timezone } }: Policy): string {
  return everyMs === undefined ? `${cron ?? '–'} (${timezone ?? 'UTC'})` : `every ${duration(everyMs)}`;
}

function Head({ policy }: { readonly policy: Policy }) {
  const { hash, guardrails, windows, limits, rollout, retentionMs, snapshotAt, notify } = policy;
  return (
    <dl class="facts columns card">
      <dt>Hash</dt>
      <dd>
        <code>{hash}</code>
      </dd>
      <dt>Accounts counted</dt>
      <dd>
        <Time iso={snapshotAt} />
      </dd>
      <dt>Scans</dt>
      <dd>{scheduleText(policy)}</dd>
      <dt>Changes in 24 hours</dt>
      <dd>{cap(guardrails.maxChanges)}</dd>
      <dt>Opt-outs in 24 hours</dt>
      <dd>{cap(guardrails.maxOptOuts)}</dd>
      <dt>Coverage</dt>
      <dd>at least {guardrails.minCoverage} %</dd>
      <dt>Failures</dt>
      <dd>at most {guardrails.failureTolerance} %</dd>
      <dt>Pace</dt>
      <dd>
        at most {number(limits.callsPerSecond)} calls a second, {number(limits.concurrency)} at once
      </dd>
      <dt>Windows</dt>
      <dd>
        {windows.length === 0
          ? 'always'
          : windows.map((w) => `${w.kind} ${w.cron} for ${duration(w.durationMs)} (${w.timezone})`).join('; ')}
      </dd>
      <dt>Canaries</dt>
      <dd>
        {rollout === null
          ? 'none'
          : `${matchText(rollout.match)} (${rollout.canaries ?? '?'}), then ${duration(rollout.waitMs)}`}
      </dd>
      <dt>Entries kept</dt>
      <dd>{retentionMs === null ? 'for ever' : duration(retentionMs)}</dd>
      <dt>Told</dt>
      <dd>
        {[notify?.eventBus, notify?.webhook?.host].filter((each) => each !== null && each !== undefined).join(', ') ||
          'nobody'}
      </dd>
    </dl>
  );
}

const SETTING_WORDS: Readonly<Record<string, string>> = {
  computeOptimizer: 'Compute Optimizer',
  automation: 'Automation',
  organizationRules: 'Organization rules',
  mode: 'Mode',
};

const setsText = (sets: Readonly<Record<string, unknown>>): string =>
  Object.keys(SETTING_WORDS)
    .filter((name) => sets[name] !== undefined)
    .map((name) => `${SETTING_WORDS[name]}: ${sets[name]}`)
    .join(', ');

const known = (accounts: number | null): string => (accounts === null ? '–' : number(accounts));

function Rules({ policy: { rules, defaults } }: { readonly policy: Policy }) {
  return (
    <section class="card" aria-labelledby="rules">
      <h2 id="rules">Rules</h2>
      <p class="muted">From top to bottom: for each field the first matching rule that sets it decides.</p>
      <Scrolling label="Rules of the policy">
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Accounts</th>
              <th scope="col">Sets</th>
              <th scope="col">Matched</th>
              <th scope="col">Decides for</th>
            </tr>
          </thead>
          <tbody>
            {rules.map(({ id, match, sets, matched, deciding }) => (
              <tr key={id}>
                <th scope="row">
                  <Link href={`/accounts?rule=${encodeURIComponent(id)}`}>{id}</Link>
                </th>
                <td>{matchText(match)}</td>
                <td>{setsText(sets)}</td>
                <td>{known(matched)}</td>
                <td>{known(deciding)}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">
                <Link href="/accounts?rule=defaults">defaults</Link>
              </th>
              <td>whatever no rule decides</td>
              <td>{setsText(defaults)}</td>
              <td>–</td>
              <td>{known(defaults.accounts)}</td>
            </tr>
          </tbody>
        </table>
      </Scrolling>
    </section>
  );
}

function Exemptions({ policy: { exemptions } }: { readonly policy: Policy }) {
  return (
    <section class="card" aria-labelledby="exemptions">
      <h2 id="exemptions">Exemptions</h2>
      {exemptions.length === 0 ? (
        <Empty>There are none.</Empty>
      ) : (
        <Scrolling label="Exemptions">
          <table>
            <thead>
              <tr>
                <th scope="col">Accounts</th>
                <th scope="col">Until</th>
                <th scope="col">Reason</th>
                <th scope="col">Owner</th>
                <th scope="col">In force</th>
              </tr>
            </thead>
            <tbody>
              {exemptions.map(({ accounts, endsAt, reason, owner, inForce }) => (
                <tr key={`${accounts.join()} ${endsAt} ${reason}`}>
                  <td>{accounts.join(', ')}</td>
                  <td>
                    <Time iso={endsAt} />
                  </td>
                  <td>{reason}</td>
                  <td>{owner}</td>
                  <td>{inForce ? 'yes' : 'no'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolling>
      )}
    </section>
  );
}
