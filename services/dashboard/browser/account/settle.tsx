import { useState } from 'preact/hooks';
import { actorName, actorPlace } from '../../../../shared/domain/actor.ts';
import { observedToDesired } from '../../../../shared/domain/enrollment/brief-reason.ts';
import { ENROLLMENT_IDS, type EnrollmentId, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { useMayOperate } from '../frame/source.ts';
import { Mark } from '../parts/icon.tsx';
import { Age, Time } from '../parts/time.tsx';
import type { Account, Condition } from '../types.ts';
import { listed } from '../words.ts';
import { Decision, inDays, SettleAll, type Settlement } from './decision.tsx';
import { exemptionYaml } from './policy-yaml.ts';

interface Contested {
  readonly enrollment: EnrollmentId;
  readonly condition: Condition;
  readonly since: string;
}

export function contestedIn({ enrollments }: Account): readonly Contested[] {
  return ENROLLMENT_IDS.flatMap((enrollment) => {
    const condition = enrollments[enrollment];
    if (condition?.contested === undefined) return [];
    return [{ enrollment, condition, since: condition.contested.since }];
  });
}

/** One decision about a contested account, with three choices. */
export function Settle({ found, contested }: { readonly found: Account; readonly contested: readonly Contested[] }) {
  const [first] = contested;
  const [choice, setChoice] = useState<Settlement>('resume');
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState(() => inDays(7));
  const mayOperate = useMayOperate();
  if (first === undefined) return null;
  const titles = listed(contested.map(({ enrollment }) => TITLES[enrollment]));
  const actors = actorsOf(contested);
  const [actor] = actors;
  const yaml = exemptionYaml({
    accountId: found.accountId,
    contested: contested.map(({ enrollment }) => enrollment),
    until,
    reason,
  });
  return (
    <section class="panel settle" aria-labelledby="settle">
      <header>
        <Mark name="attention" />
        <h2 id="settle">
          {titles} {contested.length === 1 ? 'is' : 'are'} contested
        </h2>
        <span class="sub">
          since <Time iso={first.since} zoned />, <Age iso={first.since} />
        </span>
      </header>
      <div class="body">
        <p>
          {whatHappened(first)} <Actors actors={actors} />. Rollcall makes no further changes to {titles} in this
          account until you settle it.
        </p>
        <Choices
          {...{
            choice,
            onChoose: setChoice,
            actor: actor ?? null,
            wanted: wantedOf(first),
            observed: observedOf(first),
          }}
        />
        {choice === 'policy' && <pre class="yaml">{yaml}</pre>}
        <Decision
          {...{ found, choice, reason, until, yaml, mayOperate }}
          onReason={setReason}
          onUntil={setUntil}
          all={actor === undefined ? null : <SettleAll actor={actor} choice={choice} />}
        />
      </div>
    </section>
  );
}

function actorsOf(contested: readonly Contested[]): readonly string[] {
  const named = contested.flatMap(({ condition: { setBacks = [], changedBy } }) => [
    ...setBacks.map(({ by }) => by),
    changedBy?.actor ?? null,
  ]);
  return [...new Set(named.filter((each) => each !== null))];
}

function Actors({ actors }: { readonly actors: readonly string[] }) {
  if (actors.length === 0) return <>by an actor that CloudTrail did not name</>;
  return (
    <>
      by{' '}
      {actors.map((actor, index) => {
        const place = actorPlace(actor);
        return (
          <span key={actor}>
            {index > 0 && ' and '}
            <b class="strong" title={actor}>
              {actorName(actor)}
            </b>
            {place !== null && <span class="muted"> ({place})</span>}
          </span>
        );
      })}
    </>
  );
}

/** What AWS reports now, in place of what the policy requires; `null`: they do not differ at the moment. */
function observedOf({ condition }: Contested): string | null {
  return observedToDesired(condition)?.split(' → ')[0] ?? null;
}

function wantedOf({ condition }: Contested): string {
  return (
    observedToDesired(condition)?.split(' → ')[1] ??
    condition.desired ??
    condition.desiredRuleMode ??
    'the desired state'
  );
}

function whatHappened(contested: Contested): string {
  const { setBacks = [], status, desired } = contested.condition;
  const times = setBacks.length === 0 ? 'repeatedly' : setBacks.length === 1 ? 'once' : `${setBacks.length} times`;
  const observed = observedOf(contested);
  const what = observed === null || status !== desired ? 'The enrollment' : 'The rule mode';
  return `${what} was reverted ${observed === null ? '' : `to ${observed} `}${times} in 24 hours`;
}

interface ChoicesProps {
  readonly choice: Settlement;
  readonly onChoose: (choice: Settlement) => void;
  readonly actor: string | null;
  readonly wanted: string;
  readonly observed: string | null;
}

function Choices({ choice, onChoose, actor, wanted, observed }: ChoicesProps) {
  const who = actor === null ? 'the other party' : actorName(actor);
  const options: readonly (readonly [Settlement, string, string])[] = [
    [
      'resume',
      'Resume remediation',
      `If ${who} no longer changes this account. Rollcall reads it immediately and sets ${wanted}.`,
    ],
    [
      'suspend',
      'Suspend this account',
      'While you talk to the owner. Rollcall makes no changes; drift is still recorded and reported.',
    ],
    [
      'policy',
      'Change the policy',
      `If ${observed ?? 'the other state'} is right for this account. You get an exemption to add to the policy.`,
    ],
  ];
  return (
    <fieldset>
      <legend class="sr">How to settle it</legend>
      <div class="options">
        {options.map(([each, title, text]) => (
          <label class="option" key={each}>
            <input type="radio" name="how" checked={choice === each} onChange={() => onChoose(each)} />
            <b>{title}</b>
            <p>{text}</p>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
