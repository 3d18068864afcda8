import { useStatus } from '../frame/source.ts';
import { Age } from '../parts/time.tsx';
import type { Policy } from '../types.ts';
import { duration, number, percent } from '../words.ts';

const capText = ({ percent: share, atLeast }: Policy['guardrails']['maxChanges']): string =>
  share === 0 && atLeast === 0
    ? 'none allowed'
    : `at most ${share}% of accounts, or ${number(atLeast)} if that is more`;

/** Approved changes do not count against the cap, so their accounts are shown after it. */
const approvedText = (accounts: number): string => (accounts === 0 ? '' : `, and ${number(accounts)} approved`);

export function Guardrails({ policy: { guardrails, rollout, windows, usage } }: { readonly policy: Policy }) {
  const status = useStatus().data;
  const window = status?.window ?? null;
  return (
    <section class="panel" aria-labelledby="guard">
      <header>
        <h2 id="guard">Guardrails</h2>
        <span class="sub">used in the last 24 hours</span>
      </header>
      <div class="body">
        <table class="mini guard">
          <tbody>
            <Line
              name="Changed accounts"
              value={number(usage.changedAccounts)}
              limit={
                usage.changeCap === null
                  ? capText(guardrails.maxChanges)
                  : `of at most ${number(usage.changeCap)} (${guardrails.maxChanges.percent}%)${approvedText(usage.approvedAccounts)}`
              }
            />
            <Line
              name="Opt-outs"
              value={number(usage.optOuts)}
              limit={
                usage.optOutCap === null || usage.optOutCap === 0
                  ? capText(guardrails.maxOptOuts)
                  : `of at most ${number(usage.optOutCap)}`
              }
            />
            <Line name="Coverage" value={percent(usage.coverage)} limit={`at least ${guardrails.minCoverage}%`} />
            <Line name="Failed changes" value="" limit={`at most ${guardrails.failureTolerance}% of a run`} />
            {rollout !== null && (
              <Line
                name="Canary"
                value={rollout.canaries === null ? '–' : number(rollout.canaries)}
                limit={`accounts first, then ${duration(rollout.waitMs)}`}
              />
            )}
            <Line
              name="Change window"
              value={windows.length === 0 ? 'Always' : window?.open === true ? 'Open' : 'Closed'}
              limit={
                windows.length === 0
                  ? ''
                  : window?.open === true
                    ? window.closesAt !== null && (
                        <>
                          closes <Age iso={window.closesAt} phrase />
                        </>
                      )
                    : window?.opensAt !== null && (
                        <>
                          opens <Age iso={window?.opensAt} phrase />
                        </>
                      )
              }
            />
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface LineProps {
  readonly name: string;
  readonly value: string;
  readonly limit: preact.ComponentChildren;
}

function Line({ name, value, limit }: LineProps) {
  return (
    <tr>
      <td>{name}</td>
      <td class="num">{value}</td>
      <td class="muted">{limit}</td>
    </tr>
  );
}
