import { useEffect, useRef } from 'preact/hooks';
import { Mark } from '../../dashboard/browser/parts/icon.tsx';
import { ChangeTable } from './changes.tsx';
import { type Check, type CheckName, count, instant } from './verify/finding.ts';
import type { Verdict, Verification } from './verify/verify.ts';

interface Words {
  readonly tone: 'compliant' | 'attention' | 'drifted';
  readonly title: string;
  readonly text: string;
  /** What the table of changes is worth; default: it was computed from the verified entries. */
  readonly changes?: string;
}

const VERDICTS: Readonly<Record<Verdict, Words>> = {
  verified: {
    tone: 'compliant',
    title: 'Verified',
    text: 'Every entry is unchanged and in the log that this key signed, and no entry of the period is missing.',
  },
  ownKey: {
    tone: 'drifted',
    title: 'Consistent, but the key is unknown',
    text: 'Everything matches the public key in this ZIP file. Paste the key that the owner of the log sent you above, or compare both.',
  },
  partly: {
    tone: 'drifted',
    title: 'Partly verified',
    text: 'No check failed, but the evidence does not show everything. The list says what is not shown.',
  },
  unproved: {
    tone: 'drifted',
    title: 'Not proved',
    text: 'The files are consistent, but no signature proves them.',
    changes: 'Computed from the entries, which no signature proves.',
  },
  notComparable: {
    tone: 'drifted',
    title: 'Not comparable',
    text: '',
    changes: 'Computed from the verified entries. Others may have been removed.',
  },
  failed: {
    tone: 'attention',
    title: 'Verification failed',
    text: '',
    changes: 'Verification failed: do not rely on this table.',
  },
};

const TITLES: Readonly<Record<CheckName, string>> = {
  archive: 'ZIP file',
  signature: 'Signature of the checkpoint',
  tree: 'Transparency log',
  entries: 'Entries',
  chains: 'Chains',
  complete: 'Completeness',
  checkpoints: 'Other checkpoints',
  kept: 'Checkpoint that you kept',
  changes: 'Changes',
  policies: 'Policies',
  files: 'Files',
};

const STATES: Readonly<Record<Check['state'], { readonly mark: string; readonly word: string }>> = {
  passed: { mark: 'compliant', word: 'Passed' },
  failed: { mark: 'attention', word: 'Failed' },
  limited: { mark: 'drifted', word: 'Not shown' },
  notComparable: { mark: 'drifted', word: 'Not comparable' },
};

export function Result({ result }: { readonly result: Verification }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const { tone, title, text, changes = 'Computed from the verified entries.' } = VERDICTS[result.verdict];
  const explains = result.verdict === 'failed' || result.verdict === 'notComparable' ? result.verdict : null;
  const first = result.checks.find(({ state }) => state === explains);
  return (
    <>
      <section class={`verdict c-${tone}`} aria-label="Verdict">
        <Mark name={tone} class="large" />
        <div>
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <p>{first?.message ?? text}</p>
          {result.notVerified.length > 0 && (
            <p>
              <strong>Not verified:</strong> {result.notVerified.join(', ')}. The entries of the period are not enough
              to compute them again, so the maker of this ZIP file could have changed them.
            </p>
          )}
        </div>
      </section>
      <Facts result={result} />
      <section class="panel" aria-labelledby="checks">
        <header>
          <h2 id="checks">What was verified</h2>
        </header>
        <ul class="checks">
          {result.checks.map((check) => (
            <CheckRow key={`${check.name} ${check.message}`} check={check} />
          ))}
        </ul>
      </section>
      {result.changes.length > 0 && <ChangeTable changes={result.changes} note={changes} />}
    </>
  );
}

function CheckRow({ check }: { readonly check: Check }) {
  const { mark, word } = STATES[check.state];
  const { more = 0 } = check;
  return (
    <li>
      <span class={`st c-${mark}`}>
        <Mark name={mark} />
        {word}
      </span>
      <div>
        <h3>{TITLES[check.name]}</h3>
        <p>
          {check.message}
          {more > 0 && ` And ${count(more, 'more place', 'more places')}.`}
        </p>
      </div>
    </li>
  );
}

function Facts({ result: { file, checkpoint, entries } }: { readonly result: Verification }) {
  if (file === null) return null;
  return (
    <section class="panel" aria-labelledby="facts">
      <header>
        <h2 id="facts">Evidence</h2>
      </header>
      <dl class="facts body">
        <dt>Organization</dt>
        <dd>{file.organizationId ?? 'unknown'}</dd>
        <dt>Period</dt>
        <dd>
          {instant(file.since)} to {instant(file.until)}
        </dd>
        <dt>Entries of the period</dt>
        <dd>{count(entries.period, 'entry', 'entries')}</dd>
        <dt>Checkpoint</dt>
        <dd>
          {checkpoint === null
            ? 'none'
            : `${checkpoint.origin}, ${count(checkpoint.size, 'entry', 'entries')}${file.checkpoint === null ? '' : `, published ${instant(file.checkpoint.at)}`}`}
        </dd>
      </dl>
    </section>
  );
}
