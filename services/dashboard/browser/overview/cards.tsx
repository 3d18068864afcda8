import { Link } from 'wouter-preact';
import { type EnrollmentId, KINDS, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { kindsShownIn, type Status as StatusWord } from '../../../../shared/domain/enrollment/status.ts';
import { Bar } from '../parts/bar.tsx';
import { Mark } from '../parts/icon.tsx';
import { Age } from '../parts/time.tsx';
import { looksOf } from '../status-looks.ts';
import type { Overview, Status } from '../types.ts';
import { count, listed, number, percent, signed } from '../words.ts';

type Counts = Readonly<Partial<Record<StatusWord, number>>>;
/** The statuses that a card counts; Unknown is listed separately, because it is not drift. */
const LISTED = ['Needs attention', 'Drifted', 'In progress', 'Waiting', 'Unknown'] as const;
/** In bars, the worst comes first and Compliant last. */
const IN_BARS: readonly StatusWord[] = [...LISTED, 'Compliant'];
const NOT_MANAGED: readonly StatusWord[] = ['Unmanaged', 'Exempt', 'Suspended'];

interface CardsProps {
  readonly status: Status;
  readonly overview: Overview | null;
}

/** The answers: how much drift is open, and how compliant each kind is. */
export function Cards({ status, overview }: CardsProps) {
  const kinds = kindsShownIn(status.statuses);
  const dayAgo = overview?.dayAgo ?? null;
  return (
    <section class="panel kinds" data-kinds={kinds.length} aria-label="Summary">
      <OpenDrift status={status} dayAgo={dayAgo} />
      {kinds.map(({ id }) => (
        <Kind key={id} id={id} status={status} dayAgo={dayAgo} />
      ))}
      <p class="kinds-foot">
        <NotManaged status={status} kinds={kinds.map(({ id }) => id)} />
      </p>
    </section>
  );
}

function OpenDrift({
  status: { openDrift },
  dayAgo,
}: {
  readonly status: Status;
  readonly dayAgo: Overview['dayAgo'];
}) {
  const { enrollments, accounts, oldestSince } = openDrift;
  const statuses = driftByStatus(openDrift);
  return (
    <article>
      <h2>Open drift</h2>
      <p class="figure">
        <b>{number(enrollments)}</b>
        {dayAgo !== null && <Delta change={enrollments - dayAgo.openDrift} unit="" moreIsWorse />}
      </p>
      <p>
        {enrollments === 0 ? (
          'All managed accounts comply with the policy'
        ) : (
          <>
            in {count(accounts, 'account')}, oldest <Age iso={oldestSince} />
          </>
        )}
      </p>
      <StatusBar label="Open drift" counts={statuses} />
      <CountList counts={statuses} query={{}} />
    </article>
  );
}

/** The parts of the open drift by status. */
function driftByStatus(drift: Status['openDrift']): Counts {
  return {
    'Needs attention': drift.needAttention,
    Drifted: drift.toFix + drift.reportedOnly,
    'In progress': drift.inProgress,
    Waiting: drift.waiting,
    Unknown: drift.unknown,
  };
}

interface KindProps {
  readonly id: EnrollmentId;
  readonly status: Status;
  readonly dayAgo: Overview['dayAgo'];
}

function Kind({ id, status, dayAgo }: KindProps) {
  const { managed, compliant, percent: share } = status.compliance[id];
  const before = dayAgo?.compliance[id] ?? null;
  return (
    <article>
      <h2>{TITLES[id]}</h2>
      <p class="figure">
        <b>{percent(share)}</b>
        {before !== null && share !== null && <Delta change={share - before} unit=" pts" moreIsWorse={false} />}
      </p>
      <p>
        {managed === 0
          ? 'No managed accounts'
          : `${number(compliant)} of ${count(managed, 'managed account')} compliant`}
      </p>
      <StatusBar label={TITLES[id]} counts={status.statuses[id]} />
      <CountList counts={status.statuses[id]} query={{ enrollment: id }} />
    </article>
  );
}

interface DeltaProps {
  readonly change: number;
  readonly unit: string;
  readonly moreIsWorse: boolean;
}

function Delta({ change, unit, moreIsWorse }: DeltaProps) {
  const rounded = Math.round(change * 10) / 10;
  const tone = rounded === 0 ? '' : rounded > 0 === moreIsWorse ? 'worse' : 'better';
  return (
    <>
      <span class={`delta ${tone}`}>
        {signed(rounded)}
        {unit}
      </span>
      <span class="muted">in 24 h</span>
    </>
  );
}

function StatusBar({ label, counts }: { readonly label: string; readonly counts: Counts }) {
  const parts = IN_BARS.map((word) => ({ tone: looksOf(word).tone, size: counts[word] ?? 0 }));
  const words = IN_BARS.flatMap((word) => ((counts[word] ?? 0) > 0 ? [`${word} ${number(counts[word] ?? 0)}`] : []));
  return <Bar parts={parts} label={`${label}: ${words.join(', ') || 'none'}`} />;
}

function CountList({ counts, query }: { readonly counts: Counts; readonly query: Readonly<Record<string, string>> }) {
  return (
    <ul class="counts">
      {LISTED.map((word) => {
        const { mark, tone } = looksOf(word);
        return (
          <li key={word} class={`${word === 'Unknown' ? 'apart' : ''} ${(counts[word] ?? 0) === 0 ? 'zero' : ''}`}>
            <Link href={`/accounts?${new URLSearchParams({ ...query, status: word })}`}>
              <span class={`st c-${tone}`}>
                <Mark name={mark} />
              </span>
              <span>{word}</span>
              <span>{number(counts[word] ?? 0)}</span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

/** Which enrollments are in no figure above, and why. */
function NotManaged({ status, kinds }: { readonly status: Status; readonly kinds: readonly EnrollmentId[] }) {
  const { accounts, statuses } = status;
  const parts = kinds.flatMap((id) => {
    const counted = NOT_MANAGED.filter((word) => statuses[id][word] > 0);
    const words = counted.map((word) => `${number(statuses[id][word])} ${word.toLowerCase()}`);
    return words.length === 0 ? [] : [`${TITLES[id]} ${words.join(', ')}`];
  });
  const inactive = accounts.total - accounts.active;
  if (inactive > 0) parts.push(`${count(inactive, 'account')} not active`);
  const unset = KINDS.filter(({ id }) => !kinds.includes(id)).map(({ title }) => title);
  return (
    <>
      {parts.length === 0 ? 'Every active account is managed. ' : `Not managed: ${parts.join('; ')}. `}
      {unset.length > 0 && <Link href="/policy">No rule sets {listed(unset)}</Link>}
    </>
  );
}
