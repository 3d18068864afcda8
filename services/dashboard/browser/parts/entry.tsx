import { Link } from 'wouter-preact';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { statusOf } from '../../../../shared/domain/enrollment/status.ts';
import type { Entry, Facet } from '../types.ts';
import { count, reasonText, stateText, typeText } from '../words.ts';
import { Fact } from './small.tsx';
import { Sentence, Time } from './time.tsx';

/** An entry as one line of text. */
function entryText({ type, enrollment, reason, detail }: Entry): string {
  const about = enrollment === null ? '' : ` · ${TITLES[enrollment]}`;
  const why = detail?.message ?? (reason === null ? '' : reasonText(reason));
  return `${typeText(type)}${about}${why === '' ? '' : `: ${why}`}`;
}

type Tone = 'good' | 'bad' | 'warn' | 'wait' | 'idle';

const TONES: Readonly<Partial<Record<Entry['type'], Tone>>> = {
  DriftDetected: 'bad',
  DriftResolved: 'good',
  RemediationStarted: 'wait',
  RemediationSucceeded: 'good',
  RemediationFailed: 'bad',
  RemediationBlocked: 'warn',
  ConvergenceStalled: 'bad',
  ExemptionExpiring: 'warn',
  ExemptionExpired: 'warn',
  GuardrailTripped: 'bad',
  EnforcementHalted: 'warn',
  EnforcementResumed: 'good',
  FlapDetected: 'bad',
};

/** The look of the entry's mark in a timeline; the text says the same. */
export const toneOf = ({ type }: Entry): Tone => TONES[type] ?? 'idle';

function facetText(facet: Facet | null): string | null {
  if (facet === null) return null;
  const { reason, status, ruleMode, attempts } = facet;
  const why = reason === null ? '' : ` (${reasonText(reason)})`;
  const tried = attempts > 0 ? `, ${count(attempts, 'attempt')}` : '';
  return `${statusOf(facet)}${why}, ${stateText(status, ruleMode)}${tried}`;
}

function Change({ before, after }: { readonly before: string | null; readonly after: string | null }) {
  if (after === null) return before === null ? null : <p>was {before}</p>;
  if (before === null || before === after) return <p>{after}</p>;
  return (
    <p>
      {before} <span class="muted">became</span> {after}
    </p>
  );
}

/** A ledger entry: what happened, the state before and after, the actor, and the API call. */
export function EntryView({ entry, withAccount = false }: { readonly entry: Entry; readonly withAccount?: boolean }) {
  const { at, actor, before, after, api, runId, rule, accountId, hash, seq, chain } = entry;
  return (
    <>
      <p>
        <strong>
          <Sentence text={entryText(entry)} />
        </strong>
        {withAccount && accountId !== null && (
          <>
            {' · '}
            <Link href={`/account?id=${accountId}`}>{accountId}</Link>
          </>
        )}
      </p>
      <Change before={facetText(before)} after={facetText(after)} />
      <p class="muted">
        <Time iso={at} /> by {actor}
      </p>
      <details>
        <summary>Details</summary>
        <dl class="facts">
          <Fact term="Rule">{rule !== null && rule}</Fact>
          <Fact term="Call">
            {api !== null && (
              <>
                {api.operation}, request id <code>{api.requestId ?? 'unknown'}</code>
              </>
            )}
          </Fact>
          <Fact term="Run">{runId !== null && <Link href={`/run?id=${encodeURIComponent(runId)}`}>{runId}</Link>}</Fact>
          <Fact term="Entry">
            entry {seq} of chain {chain}, hash <code>{hash.slice(0, 16)}…</code>
          </Fact>
        </dl>
      </details>
    </>
  );
}
