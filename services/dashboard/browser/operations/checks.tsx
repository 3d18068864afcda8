import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import { READ } from '../endpoints.ts';
import { useVerification } from '../frame/source.ts';
import { changes } from '../live.ts';
import { AUDIT_LOOKS } from '../parts/audit-state.tsx';
import { Mark } from '../parts/icon.tsx';
import { Time } from '../parts/time.tsx';
import { useResource } from '../resource.ts';
import type { MarkName, Tone } from '../status-looks.ts';
import type { Policy, Status } from '../types.ts';
import { count } from '../words.ts';

interface Check {
  readonly name: string;
  readonly passed: boolean;
  readonly text: ComponentChildren;
}

/** What Rollcall checks continuously. `rollcall doctor` also checks credentials, roles and queues. */
export function Checks({ status }: { readonly status: Status }) {
  const verification = useVerification().data;
  const policy = useResource<Policy>(READ.policy, changes.value);
  const checks: readonly Check[] = [
    trustedAccess(status),
    lastScan(status),
    events(status),
    ...(verification === null
      ? []
      : [
          {
            name: 'audit log',
            passed: verification.state !== 'damaged',
            text: <Link href="/audit">Audit log {AUDIT_LOOKS[verification.state].word}</Link>,
          },
        ]),
    policyCheck(policy.data, policy.error),
  ];
  const failed = checks.filter(({ passed }) => !passed);
  return (
    <section class="panel" aria-labelledby="checks">
      <header>
        <h2 id="checks">Checks</h2>
        <span class="sub">
          {checks.length - failed.length} passed{failed.length > 0 && `, ${count(failed.length, 'warning')}`}
        </span>
      </header>
      <div class="body">
        <table class="mini checks">
          <tbody>
            {[...failed, ...checks.filter(({ passed }) => passed)].map(({ name, passed, text }) => (
              <tr key={name}>
                <td class="nowrap">
                  {passed ? <Result tone="compliant" word="Passed" /> : <Result tone="drifted" word="Warning" />}
                </td>
                <td>{text}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p class="muted small below">
          <code>rollcall doctor</code> also checks credentials, roles, queue and table, and shows the command that fixes
          each finding.
        </p>
      </div>
    </section>
  );
}

function Result({ tone, word }: { readonly tone: Extract<Tone, MarkName>; readonly word: string }) {
  return (
    <span class={`st c-${tone}`}>
      <Mark name={tone} />
      {word}
    </span>
  );
}

function trustedAccess({ trustedAccess: access }: Status): Check {
  const name = 'trusted access';
  if (access === null) return { name, passed: true, text: 'Trusted access not checked yet' };
  if (access.enabled) return { name, passed: true, text: 'Trusted access is on' };
  return {
    name,
    passed: false,
    text: (
      <>
        Trusted access has been off since <Time iso={access.since} zoned />: AWS lists no enrollments
      </>
    ),
  };
}

function lastScan({ lastScan: { completedAt }, scanning }: Status): Check {
  const passed = completedAt !== null && scanning?.state !== 'interrupted';
  const text =
    completedAt === null ? (
      'No scan has completed yet'
    ) : (
      <>
        Last scan complete at <Time iso={completedAt} zoned />
      </>
    );
  return { name: 'scan', passed, text: scanning?.state === 'interrupted' ? 'The current scan was interrupted' : text };
}

function events({ outbox }: Status): Check {
  if (outbox === null) return { name: 'events', passed: true, text: 'No entry waits for the event bus' };
  const refused = outbox.refusal === null ? '' : `: ${outbox.refusal.message}`;
  return {
    name: 'events',
    passed: false,
    text: `${count(outbox.overdue, 'entry', 'entries')}${outbox.more ? ' or more' : ''} not published${refused}`,
  };
}

function policyCheck(policy: Policy | null, error: Error | null): Check {
  const name = 'policy';
  if (policy === null)
    return { name, passed: error === null, text: error === null ? 'Reading the policy' : error.message };
  const { warnings } = policy;
  const text = (
    <Link href="/policy">
      {warnings.length === 0 ? 'Policy is valid' : `Policy has ${count(warnings.length, 'warning')}`}
    </Link>
  );
  return { name, passed: warnings.length === 0, text };
}
