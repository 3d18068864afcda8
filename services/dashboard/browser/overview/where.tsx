import { Fragment } from 'preact';
import { Link } from 'wouter-preact';
import { Bar } from '../parts/bar.tsx';
import { Segments } from '../parts/form.tsx';
import { useParams } from '../search-params.ts';
import type { Overview, Status } from '../types.ts';
import { count, number, percent } from '../words.ts';

type By = 'ou' | 'rule' | 'tag';
const BY: readonly (readonly [By, string])[] = [
  ['ou', 'OU'],
  ['rule', 'Rule'],
  ['tag', 'Tag'],
];
const TITLES: Readonly<Record<By, string>> = { ou: 'Organizational unit', rule: 'Rule', tag: 'Tag' };
/** Rows that fit beside the chart. */
const ROWS = 8;

interface WhereProps {
  readonly status: Status;
  readonly overview: Overview;
}

/** Which OUs, rules or tags have the most drift. */
export function Where({ status, overview }: WhereProps) {
  const [params, change] = useParams();
  const options = BY.filter(([by]) => by !== 'tag' || overview.tags !== null);
  const by = options.find(([each]) => each === params.get('by'))?.[0] ?? 'ou';
  const places = { ou: overview.ous, rule: overview.rules, tag: overview.tags ?? overview.ous }[by];
  const shown = places.worst.slice(0, ROWS);
  const most = Math.max(...shown.map(({ drifted }) => drifted), 1);
  const more = places.more + places.worst.length - shown.length;
  return (
    <section class="panel a-where" aria-labelledby="where">
      <header>
        <h2 id="where">Where</h2>
        <span class="right">
          <Segments
            label="Group by"
            value={by}
            options={options}
            onChange={(to) => change({ by: to === 'ou' ? null : to })}
          />
        </span>
      </header>
      {shown.length === 0 ? (
        <p class="message muted">No account has open drift.</p>
      ) : (
        <table class="grid">
          <colgroup>
            <col />
            <col class="w-num" />
            <col class="w-since" />
            <col class="w-share drop-s" />
          </colgroup>
          <thead>
            <tr>
              <th scope="col">{TITLES[by]}</th>
              <th scope="col" class="num">
                Compliant
              </th>
              <th scope="col" class="num nowrap">
                Drift
              </th>
              <th scope="col" class="drop-s">
                <span class="sr">Accounts with drift, as a bar</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ name, percent: share, drifted }) => (
              <tr key={name}>
                <th scope="row" title={name}>
                  {by === 'tag' ? (
                    name
                  ) : (
                    <Link href={`/accounts?${new URLSearchParams({ [by]: name })}`}>{breakable(name)}</Link>
                  )}
                </th>
                <td class="num">{percent(share)}</td>
                <td class="num strong">{number(drifted)}</td>
                <td class="drop-s">
                  <Bar
                    thin
                    label={`${count(drifted, 'account')} with open drift`}
                    total={most}
                    parts={[{ tone: 'drifted', size: drifted }]}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div class="table-foot">
        <span>{footText(by, more, places.compliant)}</span>
        <span class="right">
          {count(status.accounts.managed, 'account')} managed, {number(status.openDrift.accounts)} with drift
        </span>
      </div>
    </section>
  );
}

/** A path that breaks into lines only before a slash. */
function breakable(path: string) {
  return path.split(/(?=\/)/).map((part, index, all) => (
    <Fragment key={all.slice(0, index + 1).join('')}>
      {part}
      <wbr />
    </Fragment>
  ));
}

const UNITS: Readonly<Record<By, string>> = { ou: 'OU', rule: 'rule', tag: 'tag' };

function footText(by: By, more: number, compliant: number): string {
  const unit = UNITS[by];
  const parts = [
    ...(more > 0 ? [`${count(more, `more ${unit}`)} with drift`] : []),
    ...(compliant > 0 ? [`${count(compliant, unit)} without drift`] : []),
  ];
  return parts.join(', ');
}
