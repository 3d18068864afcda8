import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { READ } from '../endpoints.ts';
import { useResource } from '../resource.ts';
import type { PolicyChange } from '../types.ts';
import { count, FIELD_WORDS, number, sentence } from '../words.ts';
import { CodeLine } from './code-line.tsx';
import { Loaded } from './small.tsx';
import { Time } from './time.tsx';

type Hunks = NonNullable<PolicyChange['hunks']>;
type Effect = NonNullable<PolicyChange['effect']>;

/** What a version of the policy changed compared with the previous one, and its effect on the accounts. */
export function PolicyDifference({ entryId }: { readonly entryId: string }) {
  const change = useResource<PolicyChange>(READ.policyChange(entryId));
  return (
    <section class="panel" aria-labelledby="diff">
      <Loaded resource={change} what="The changes of the policy">
        {({ from, to, hunks, effect }) => (
          <>
            <header>
              <h2 id="diff">
                {from === null ? (
                  <>First recorded policy, {to.hash.slice(0, 8)}</>
                ) : (
                  <>
                    Changes from {from.hash.slice(0, 8)} to {to.hash.slice(0, 8)}
                  </>
                )}
              </h2>
              {hunks !== null && <span class="sub">{sizeOf(hunks)}</span>}
            </header>
            {effect !== null && <EffectStrip effect={effect} />}
            {hunks === null ? (
              <div class="message">
                <p>
                  The text of {to.hasText ? 'the version before' : 'this version'} is not in the audit log, because an
                  earlier version of Rollcall put it in force or it has more than 64,000 characters.
                </p>
              </div>
            ) : hunks.length === 0 ? (
              <div class="message">
                <p>The text is the same.</p>
              </div>
            ) : (
              from !== null && <Lines hunks={hunks} />
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}

function sizeOf(hunks: Hunks): string {
  const lines = hunks.flat();
  const added = lines.filter(({ from }) => from === null).length;
  const removed = lines.filter(({ to }) => to === null).length;
  return `+${number(added)} −${number(removed)} lines`;
}

const GUARDRAILS: Readonly<Record<string, string>> = {
  maxChanges: 'Change cap',
  maxOptOuts: 'Opt-out cap',
  minCoverage: 'Minimum coverage',
  failureTolerance: 'Failure tolerance',
};

function EffectStrip({ effect: { settings, exemptions, guardrails, countedAt } }: { readonly effect: Effect }) {
  const none = settings.length + exemptions.length + guardrails.length === 0;
  return (
    <>
      {!none && (
        <dl class="strip lined">
          {settings.map(({ field, from, to, accounts }) => (
            <div key={`${field} ${from} ${to}`}>
              <dt>{FIELD_WORDS[field]}</dt>
              <dd>
                {count(accounts, 'account')}
                <small>
                  {sentence(from)} to {to}
                </small>
              </dd>
            </div>
          ))}
          {exemptions.map(({ enrollment, began, ended }) => (
            <div key={enrollment}>
              <dt>{TITLES[enrollment]}, exemptions</dt>
              <dd>
                {began > 0 && `${count(began, 'account')} exempt`}
                {ended > 0 && <small>{count(ended, 'account')} no longer exempt</small>}
              </dd>
            </div>
          ))}
          {guardrails.map(({ guardrail, from, to }) => (
            <div key={guardrail}>
              <dt>{GUARDRAILS[guardrail] ?? guardrail}</dt>
              <dd>
                {to}
                <small>was {from}</small>
              </dd>
            </div>
          ))}
        </dl>
      )}
      <p class="note-line">
        {none ? 'This change leaves the desired state of every account as it was.' : 'Accounts counted'}{' '}
        {!none && (
          <>
            in the snapshot of <Time iso={countedAt} zoned />.
          </>
        )}
      </p>
    </>
  );
}

function Lines({ hunks }: { readonly hunks: Hunks }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
    <section class="code" tabIndex={0} aria-label="Changed lines">
      <table>
        {hunks.map((lines, index) => (
          <tbody key={`${index} ${lines[0]?.text}`} class={index === 0 ? '' : 'apart'}>
            {lines.map((line) => (
              <Line key={`${line.from} ${line.to}`} line={line} />
            ))}
          </tbody>
        ))}
      </table>
    </section>
  );
}

function Line({ line: { from, to, text } }: { readonly line: Hunks[number][number] }) {
  const [look, sign, words] =
    from === null ? ['add', '+', ' added'] : to === null ? ['del', '−', ' removed'] : ['', '', ''];
  return (
    <tr class={look}>
      <td class="ln">{from}</td>
      <td class="ln">{to}</td>
      <td class="sign">
        {sign}
        <span class="sr">{words}</span>
      </td>
      <td>
        <CodeLine text={text} />
      </td>
    </tr>
  );
}
