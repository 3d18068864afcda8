import { Link } from 'wouter-preact';
import { actorName } from '../../../../shared/domain/actor.ts';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { briefMessage } from '../../../../shared/domain/ledger/brief-message.ts';
import { entryTitle, titleInSentence } from '../../../../shared/domain/ledger/entry-titles.ts';
import { entryActor, entryLook, whatChanged } from '../entry-line.ts';
import { Mark } from '../parts/icon.tsx';
import { Sentence, Time } from '../parts/time.tsx';
import type { Entry, Overview } from '../types.ts';
import { count, number, reasonText, stateText, wordsOf } from '../words.ts';

type Recent = Overview['recent'][number];

/** The newest entries of the audit log. */
export function RecentActivity({ overview: { recent } }: { readonly overview: Overview }) {
  return (
    <section class="panel a-recent" aria-labelledby="recent">
      <header>
        <h2 id="recent">Recent activity</h2>
        <Link class="right" href="/audit">
          Audit log
        </Link>
      </header>
      {recent.length === 0 && <p class="message muted">Nothing was recorded yet.</p>}
      <ul class="feed">
        {recent.map(({ entry, accountName }) => (
          <li key={entry.id}>
            <Time iso={entry.at} seconds />
            <span class={`c-${entryLook(entry).tone}`}>
              <Mark name={entryLook(entry).mark} />
            </span>
            <EntryLine entry={entry} accountName={accountName} />
            <span class="who" title={entryActor(entry).full}>
              {entryActor(entry).name}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function whyOf(entry: Entry): string {
  const { enrollment, type, reason, detail } = entry;
  if (enrollment === null) return whatChanged(entry);
  if (type === 'RemediationSucceeded') return wordsOf('acted').short;
  return detail?.message === undefined ? reasonText(reason) : briefMessage(detail.message, 8);
}

function EntryLine({ entry, accountName }: Recent) {
  const { accountId, enrollment, type, before, after } = entry;
  const about = enrollment === null ? '' : `${TITLES[enrollment]} `;
  const what = enrollment === null ? entryTitle(type) : titleInSentence(type);
  const why = whyOf(entry);
  const change =
    type === 'DriftDetected' && before !== null && after !== null && before.status !== after.status
      ? `${stateText(before.status, null)} → ${stateText(after.status, null)}`
      : why;
  return (
    <span class="cut">
      {accountId !== null && (
        <>
          <Link href={`/account?id=${accountId}`}>{accountName ?? accountId}</Link>{' '}
        </>
      )}
      {about}
      {what}
      {change !== '' && (
        <>
          : <Sentence text={change} />
        </>
      )}
    </span>
  );
}

/** Who caused the drift of the last 24 hours. */
export function ChangedBy({ overview: { changedBy } }: { readonly overview: Overview }) {
  return (
    <section class="panel a-who" aria-labelledby="who">
      <header>
        <h2 id="who">Changed by</h2>
        <span class="sub">{count(changedBy.drifts, 'drift')} in 24 h</span>
      </header>
      <div class="body">
        {changedBy.drifts === 0 ? (
          <p class="muted">No drift was detected in 24 hours.</p>
        ) : (
          <table class="mini">
            <tbody>
              {changedBy.actors.map((each) => (
                <tr key={`${each.actor} ${each.joined} ${each.firstScan}`}>
                  <td>
                    <Actor {...each} />
                  </td>
                  <td class="num">{number(each.drifts)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}

const ROLE = /^arn:[\w-]+:sts::(\d{12}):assumed-role\/([^/]+)\//;
const USER = /^arn:[\w-]+:iam::(\d{12}):user\//;

function Actor({ actor, joined, firstScan, accounts }: Overview['changedBy']['actors'][number]) {
  if (actor === null) {
    const where = `in ${count(accounts, 'account')}`;
    const why = firstScan
      ? `before the first scan, ${where}`
      : joined
        ? `drifted when first seen, ${where}`
        : 'no CloudTrail event';
    return (
      <>
        Unknown <span class="muted small">{why}</span>
      </>
    );
  }
  const [, account, role] = ROLE.exec(actor) ?? [];
  const [, owner] = USER.exec(actor) ?? [];
  return (
    <span title={actor}>
      {actorName(actor)}{' '}
      <span class="muted small">
        {role !== undefined ? `role ${role} in ${account}` : owner !== undefined ? `user in ${owner}` : ''}
      </span>
    </span>
  );
}
