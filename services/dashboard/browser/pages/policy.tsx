import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { actorName } from '../../../../shared/domain/actor.ts';
import { READ } from '../endpoints.ts';
import { slowChanges } from '../live.ts';
import { Segments } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { Icon, Mark, Pill } from '../parts/icon.tsx';
import { PolicyDifference } from '../parts/policy-change.tsx';
import { PolicySource } from '../parts/policy-source.tsx';
import { PolicyValues } from '../parts/policy-values.tsx';
import { Loaded } from '../parts/small.tsx';
import { Time } from '../parts/time.tsx';
import { Guardrails } from '../policy/guardrails.tsx';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { Policy, PolicyVersions, Report } from '../types.ts';
import { count, number, percent } from '../words.ts';

export function PolicyPage() {
  const resource = useResource<Policy>(READ.policy, slowChanges.value);
  const policy = resource.data;
  return (
    <>
      <Heading
        title="Policy"
        beside={policy !== null && <InForce policy={policy} />}
        sub={policy !== null && <Origin policy={policy} />}
        actions={policy !== null && <Download policy={policy} />}
      >
        Policy
      </Heading>
      <Loaded resource={resource} what="The policy">
        {(found) => <Found policy={found} />}
      </Loaded>
    </>
  );
}

function InForce({ policy }: { readonly policy: Policy }) {
  return policy.inForce ? (
    <Pill tone="compliant" mark="compliant" text="In force" />
  ) : (
    <Pill tone="drifted" mark="drifted" text="In force from the next scan" />
  );
}

function Origin({ policy: { source, hash, version } }: { readonly policy: Policy }) {
  const [copied, setCopied] = useState(false);
  return (
    <>
      {source.file}, version{' '}
      <span class="mono" title={hash}>
        {hash.slice(0, 8)}
      </span>{' '}
      <button
        type="button"
        class="icon-btn inline"
        aria-label={copied ? 'Version copied' : 'Copy the whole version'}
        onClick={() => void navigator.clipboard.writeText(hash).then(() => setCopied(true))}
      >
        {copied ? <Mark name="compliant" class="c-compliant" /> : <Icon name="copy" />}
      </button>
      {version !== null && (
        <>
          {' '}
          since <Time iso={version.at} zoned />, put in force by{' '}
          <span title={version.actor}>{nameOf(version.actor)}</span>
        </>
      )}
    </>
  );
}

const nameOf = (actor: string): string => (actorName(actor) === 'rollcall' ? 'Rollcall' : actorName(actor));

/** Saves the text as it is shown, without secrets. */
function Download({ policy: { source } }: { readonly policy: Policy }) {
  const save = (): void => {
    const address = URL.createObjectURL(new Blob([`${source.lines.join('\n')}\n`], { type: 'application/yaml' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = source.file.split(/[\\/]/).at(-1) ?? 'rollcall.yaml';
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <button type="button" class="btn" onClick={save}>
      <Icon name="down" />
      Download
    </button>
  );
}

function Found({ policy }: { readonly policy: Policy }) {
  const versions = useResource<PolicyVersions>(READ.policyVersions, slowChanges.value);
  const [params, change] = useParams();
  const chosen = params.get('version') ?? versions.data?.versions[0]?.entryId ?? null;
  const values = params.get('view') === 'values';
  const view = (
    <span class="right">
      <Segments
        label="View"
        value={values ? 'values' : 'source'}
        options={[
          ['source', 'Source'],
          ['values', 'Effective values'],
        ]}
        onChange={(to) => change({ view: to === 'values' ? 'values' : null })}
      />
    </span>
  );
  return (
    <>
      <div class="two policy">
        <div class="stack">
          {values ? <PolicyValues policy={policy} view={view} /> : <PolicySource policy={policy} view={view} />}
        </div>
        <div class="stack">
          <Rules policy={policy} />
          <Findings policy={policy} />
          <Guardrails policy={policy} />
          <section class="panel" aria-labelledby="versions">
            <header>
              <h2 id="versions">Versions</h2>
            </header>
            <Loaded resource={versions} what="The versions">
              {(found) => <Versions found={found} chosen={chosen} onChoose={(id) => change({ version: id })} />}
            </Loaded>
          </section>
        </div>
      </div>
      {chosen !== null && <PolicyDifference entryId={chosen} />}
    </>
  );
}

/** The accounts of each rule, in the order of the policy, with their compliance now. */
function Rules({ policy: { rules, defaults } }: { readonly policy: Policy }) {
  const since = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000).toISOString();
  const report = useResource<Report>(READ.report(since, '', '1h'), slowChanges.value);
  const all = [
    ...rules.map(({ id, deciding }) => ({ id, accounts: deciding })),
    { id: 'defaults', accounts: defaults.accounts },
  ];
  const most = Math.max(1, ...all.map(({ accounts }) => accounts ?? 0));
  return (
    <section class="panel" aria-labelledby="per">
      <header>
        <h2 id="per">Accounts per rule</h2>
        <span class="sub">in order: for each field, the first rule that sets it decides</span>
      </header>
      <table class="grid">
        <colgroup>
          <col />
          <col class="w-num" />
          <col class="w-num" />
          <col class="w-since drop-s" />
        </colgroup>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col" class="num">
              Accounts
            </th>
            <th scope="col" class="num">
              Compliant
            </th>
            <th scope="col" class="drop-s">
              <span class="sr">Share</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {all.map(({ id, accounts }) => {
            const group = report.data?.byRule.find(({ rule }) => rule === id);
            return (
              <tr key={id}>
                <th scope="row">
                  <Link href={`/accounts?rule=${encodeURIComponent(id)}`}>{id}</Link>
                </th>
                <td class="num">{accounts === null ? '–' : number(accounts)}</td>
                <td class="num">{percent(group?.percent ?? null)}</td>
                <td class="drop-s">
                  <svg class="prop thin" viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="f-accent" width={((accounts ?? 0) / most) * 1_000} height="8" />
                  </svg>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <div class="table-foot">An account is counted for every rule that decides one of its fields.</div>
    </section>
  );
}

function Findings({ policy: { warnings } }: { readonly policy: Policy }) {
  return (
    <section class="panel" aria-labelledby="find">
      <header>
        <h2 id="find">Findings</h2>
      </header>
      {warnings.length === 0 ? (
        <div class="message">
          <p class="st c-compliant">
            <Mark name="compliant" />
            <span>No warnings.</span>
          </p>
        </div>
      ) : (
        <div class="body">
          <ul class="findings">
            {warnings.map(({ line, severity, message, hint }) => (
              <li key={`${line} ${message}`}>
                <span class={`st ${severity === 'error' ? 'c-attention loud' : 'c-drifted'}`}>
                  <Mark name={severity === 'error' ? 'attention' : 'drifted'} />
                  {severity === 'error' ? 'Contradiction' : 'Warning'}
                </span>
                <p>
                  {message.charAt(0).toUpperCase() + message.slice(1)}. {hint} <a href={`#L${line}`}>Line {line}</a>
                </p>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

interface VersionsProps {
  readonly found: PolicyVersions;
  /** The entry of the version whose changes are shown. */
  readonly chosen: string | null;
  readonly onChoose: (entryId: string) => void;
}

function Versions({ found: { versions, more }, chosen, onChoose }: VersionsProps) {
  if (versions.length === 0) return <p class="empty">No scan has used a policy yet.</p>;
  return (
    <>
      <table class="grid">
        <colgroup>
          <col class="w-id" />
          <col />
          <col class="w-id" />
        </colgroup>
        <thead class="sr">
          <tr>
            <th scope="col">Version</th>
            <th scope="col">In force since</th>
            <th scope="col">Put in force by</th>
          </tr>
        </thead>
        <tbody>
          {versions.map(({ entryId, hash, at, actor }) => (
            <tr key={entryId} class={entryId === chosen ? 'here' : ''}>
              <th scope="row">
                <button
                  type="button"
                  class="plain mono nowrap"
                  title={hash}
                  aria-current={entryId === chosen}
                  onClick={() => onChoose(entryId)}
                >
                  {hash.slice(0, 8)}
                </button>
              </th>
              <td>
                <Time iso={at} />
              </td>
              <td class="muted" title={actor}>
                {nameOf(actor)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more && (
        <div class="table-foot">Older versions are in the audit log ({count(versions.length, 'version')} shown).</div>
      )}
    </>
  );
}
