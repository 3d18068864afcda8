import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import type { Policy } from '../types.ts';
import { duration, FIELD_WORDS, number } from '../words.ts';
import { Fact } from './small.tsx';
import { Time } from './time.tsx';

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

const setsText = (sets: Readonly<Record<string, unknown>>): string =>
  Object.entries(FIELD_WORDS)
    .flatMap(([name, words]) => (sets[name] === undefined ? [] : [`${words}: ${sets[name]}`]))
    .join(', ');

/** The policy with every default filled in. */
export function PolicyValues({ policy, view }: { readonly policy: Policy; readonly view: ComponentChildren }) {
  return (
    <>
      <RuleValues policy={policy} view={view} />
      {policy.exemptions.length > 0 && <Exemptions policy={policy} />}
      <section class="panel" aria-labelledby="rest">
        <header>
          <h2 id="rest">Everything else</h2>
        </header>
        <div class="body">
          <OtherValues policy={policy} />
        </div>
      </section>
    </>
  );
}

function RuleValues({
  policy: { rules, defaults },
  view,
}: {
  readonly policy: Policy;
  readonly view: ComponentChildren;
}) {
  const rows = [
    ...rules.map(({ id, match, sets }) => ({ id, selects: matchText(match), sets })),
    { id: 'defaults', selects: 'everything that no rule decides', sets: defaults },
  ];
  return (
    <section class="panel" aria-labelledby="values">
      <header>
        <h2 id="values">Rules</h2>
        <span class="sub">from top to bottom: for each field, the first rule that sets it decides</span>
        {view}
      </header>
      <div class="body">
        <dl class="facts">
          {rows.map(({ id, selects, sets }) => (
            <Fact key={id} term={id}>
              <Link href={`/accounts?rule=${encodeURIComponent(id)}`}>{selects}</Link>: {setsText(sets)}
            </Fact>
          ))}
        </dl>
      </div>
    </section>
  );
}

function Exemptions({ policy: { exemptions } }: { readonly policy: Policy }) {
  return (
    <section class="panel" aria-labelledby="exemptions">
      <header>
        <h2 id="exemptions">Exemptions</h2>
      </header>
      <div class="body">
        <ul class="findings">
          {exemptions.map(({ accounts, endsAt, reason, owner, inForce, line }) => (
            <li key={`${line} ${reason}`}>
              <span>
                {inForce ? 'Until' : 'Expired'} <Time iso={endsAt} />
              </span>
              <p>
                {reason}, {owner}. <span class="mono small">{accounts.join(', ')}</span>
              </p>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function OtherValues({ policy }: { readonly policy: Policy }) {
  const { guardrails, windows, limits, rollout, retentionMs, notify, organization } = policy;
  const targets = [notify?.eventBus, notify?.webhook?.host].filter((each) => each !== null && each !== undefined);
  return (
    <dl class="facts">
      <Fact term="Member role">{organization.memberRole}</Fact>
      <Fact term="Scans">{scheduleText(policy)}</Fact>
      <Fact term="Change cap">{cap(guardrails.maxChanges)}</Fact>
      <Fact term="Opt-out cap">{cap(guardrails.maxOptOuts)}</Fact>
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
        {rollout === null ? 'none' : `${matchText(rollout.match)}, then ${duration(rollout.waitMs)}`}
      </Fact>
      <Fact term="Retention">{retentionMs === null ? 'forever' : duration(retentionMs)}</Fact>
      <Fact term="Notifications">{targets.join(', ') || 'none'}</Fact>
    </dl>
  );
}
