import { eventSchema } from '../../infra/event-schemas.ts';
import { FIRST_KIND } from '../../shared/domain/enrollment/kinds/index.ts';
import { EVENT_SOURCE, wordsOf } from '../../shared/domain/ledger/bus-event.ts';
import { type Detail, type EntryDraft, sealEntry } from '../../shared/domain/ledger/entry.ts';
import { ENTRY_TYPES, type EntryType } from '../../shared/domain/ledger/entry-types.ts';
import { page, table } from './markdown.ts';

const ACCOUNT = '123456789012';
const AT = '2026-12-01T09:41:05.000Z';
const POLICY_HASH = 'f5685be84f9c'.padEnd(64, '0');
const RUN = '01JE000000000000000000RUN1';
const OPERATOR = 'arn:aws:iam::801877072919:user/ops';
const BEFORE = facet({ verdict: 'Compliant', reason: null, status: 'Active' });
const DRIFTED = facet({ verdict: 'Drifted', reason: 'statusDiffers', status: 'Inactive' });

function facet(
  fields: Pick<NonNullable<EntryDraft['after']>, 'verdict' | 'reason' | 'status'>,
): NonNullable<EntryDraft['after']> {
  const unset = { ruleMode: null, lastUpdated: null, desiredRuleMode: null, notBefore: null, deadline: null };
  return { ...unset, desired: 'Active', attempts: 0, ...fields };
}

/** What an entry type means, and the fields of an example beside those that every entry of an account or the organization has. */
interface Kind {
  readonly meaning: string;
  readonly about: 'account' | 'organization';
  readonly example?: Partial<EntryDraft>;
}

const of = (about: Kind['about'], meaning: string, example: Partial<EntryDraft> = {}): Kind => ({
  meaning,
  about,
  example,
});
const said = (message: string, detail: Detail = {}): Partial<EntryDraft> => ({ detail: { message, ...detail } });
const byOperator = (reason: string, detail: Detail = {}): Partial<EntryDraft> => ({
  actor: OPERATOR,
  reason,
  runId: null,
  detail,
});
const CALL = { operation: 'UpdateEnrollmentStatus', requestId: '7d0c6b1e-0001', clientToken: null };

const KINDS: Readonly<Record<EntryType, Kind>> = {
  ScanStarted: of('organization', 'A scan began.'),
  ScanCompleted: of('organization', 'A scan ended; `detail.summary` counts accounts by status.', {
    detail: { summary: { listed: 118, unknown: 0 } },
  }),
  AccountJoined: of('account', 'An account appeared in the organization.', {
    detail: { account: { name: 'dev-edge-001', ou: '/Workloads/Dev', state: 'ACTIVE' } },
  }),
  AccountLeft: of('account', 'An account left the organization or was closed.', {
    detail: { account: { name: 'dev-edge-001', ou: '/Workloads/Dev', state: 'SUSPENDED' } },
  }),
  DriftDetected: of(
    'account',
    'A drift was observed for the first time. `detail.changedBy` names the caller, if CloudTrail reported it.',
    {
      ...{ before: BEFORE, after: DRIFTED, reason: 'statusDiffers' },
      detail: {
        changedBy: {
          actor: 'arn:aws:iam::123456789012:user/anna',
          operation: 'UpdateEnrollmentStatus',
          requestId: '7d0c6b1e-0000',
          at: AT,
        },
      },
    },
  ),
  DriftResolved: of('account', 'The drift has ended: AWS reports the state that the policy declares.', {
    before: DRIFTED,
    after: BEFORE,
  }),
  RemediationStarted: of('account', 'Intent and claim, written before the call to AWS.', {
    before: DRIFTED,
    detail: { claimExpiresAt: '2026-12-01T09:42:05.000Z', target: 'Active' },
  }),
  RemediationSucceeded: of(
    'account',
    'AWS accepted the call. The account is Compliant only when AWS also reports the state.',
    { api: CALL, detail: { intentId: '01JE00000000000000000INTENT' } },
  ),
  RemediationFailed: of(
    'account',
    'The call failed; `detail.error` says why. It is retried unless the error is permanent.',
    {
      ...{
        api: CALL,
        detail: { error: { kind: 'Denied', code: 'AccessDenied', message: 'RollcallMember cannot be assumed' } },
      },
    },
  ),
  RemediationBlocked: of('account', 'The fix has to wait, or a person must act; `reason` says which.', {
    after: facet({ verdict: 'Blocked', reason: 'coolDown', status: 'Inactive' }),
    reason: 'coolDown',
  }),
  ConvergenceStalled: of('account', 'AWS accepted a change and did not confirm it before the deadline.', {
    after: facet({ verdict: 'Stalled', reason: 'deadlinePassed', status: 'Pending' }),
    reason: 'deadlinePassed',
  }),
  ConfigurationStarted: of(
    'organization',
    'Intent to store or delete an organization enrollment configuration, written before the call.',
    {
      detail: { configuration: { targetId: 'ou-7f3a-example1', target: '/Workloads', ruleMode: 'AnyAllowed' } },
    },
  ),
  ConfigurationEnded: of('organization', 'The outcome of that call.', {
    detail: { configuration: { targetId: 'ou-7f3a-example1', target: '/Workloads', ruleMode: 'AnyAllowed' } },
  }),
  ExemptionExpiring: of(
    'account',
    'An exemption ends in 7 days.',
    said('The exemption ends on 2027-01-31.', { until: '2027-02-01T00:00:00.000Z' }),
  ),
  ExemptionExpired: of(
    'account',
    'An exemption has ended; the policy applies again.',
    said('The exemption has ended.', { until: '2027-02-01T00:00:00.000Z' }),
  ),
  GuardrailTripped: of(
    'organization',
    'A guardrail stopped a run, or canaries failed; `reason` names the guardrail, or is `rollout`.',
    said('The plan changes 72 accounts; the limit is 23.', { planHash: POLICY_HASH }),
  ),
  PlanApproved: of(
    'organization',
    'An operator let a stored plan exceed `maxChanges`, once.',
    byOperator('adoption', { planHash: POLICY_HASH }),
  ),
  RolloutAdvanced: of(
    'organization',
    'The canaries comply, so the other accounts follow.',
    said('4 canaries have complied for 30m.'),
  ),
  EnforcementHalted: of(
    'organization',
    'An operator stopped all changes (kill switch).',
    byOperator('checking invoice'),
  ),
  EnforcementResumed: of('organization', 'An operator ended the halt.', byOperator('invoice is right')),
  AccountSuspended: of(
    'organization',
    'An operator stopped changes to some accounts.',
    byOperator('migration', { selector: 'ou:/Canary', until: '2026-12-12T00:00:00.000Z' }),
  ),
  AccountResumed: of(
    'organization',
    'An operator ended a suspension, or settled contested accounts.',
    byOperator('migration done', { selector: 'ou:/Canary' }),
  ),
  PolicyChanged: of('organization', 'Another policy is in force; `policyHash` identifies it.'),
  FlapDetected: of('account', 'Somebody reverted the account three times in 24 hours. Rollcall stops changing it.', {
    after: facet({ verdict: 'Blocked', reason: 'contested', status: 'Inactive' }),
    reason: 'contested',
  }),
  VerdictChanged: of('account', 'The status changed in a way for which there is no other type.', {
    before: DRIFTED,
    after: facet({ verdict: 'Exempt', reason: 'exemption', status: 'Inactive' }),
    reason: 'exemption',
  }),
  ChainPruned: of(
    'account',
    'Replaces older entries of its chain (`retention`). `checkpoint` has the number and hash of the last one; it is not a signed checkpoint.',
    {
      detail: {
        checkpoint: {
          through: { seq: 10, hash: 'b'.repeat(64) },
          throughAt: '2025-10-27T00:00:00.000Z',
          state: null,
          current: null,
        },
      },
    },
  ),
  DigestPublished: of('organization', 'The daily hash over the ends of all chains.', {
    detail: { digest: { day: '2026-12-01', root: 'c'.repeat(64), list: 'd'.repeat(64), chains: 119, entries: 1204 } },
  }),
  CheckpointPublished: of(
    'organization',
    'A signed checkpoint of the transparency log, with the proof that it extends the previous one.',
    {
      detail: {
        treeHead: {
          note: `rollcall/o-7f3a9c2e1d/k3x9q0ab\n1204\n${'c'.repeat(43)}=\n\n— rollcall/o-7f3a9c2e1d/k3x9q0ab ${'d'.repeat(91)}=\n`,
          previous: null,
          proof: [],
          witnesses: [],
        },
      },
    },
  ),
  ScanRequested: of('organization', 'An operator asked for a scan.', byOperator('after the incident')),
  DeadLettersRedriven: of('organization', 'An operator put dead letters back on the queue.', byOperator('role fixed')),
  StoreRestored: of(
    'organization',
    'A backup replaced the store; changes are halted until an operator resumes them.',
    byOperator('disk failure', { restore: { file: 'backup.db', replaced: null, lost: null } }),
  ),
};

/** An event as EventBridge delivers it, for each entry type. */
function exampleEvent(type: EntryType): unknown {
  const { about, example } = KINDS[type];
  const chain = about === 'account' ? ACCOUNT : 'organization';
  const draft: EntryDraft = {
    ...{ id: '01JE0000000000000000000001', chain, at: AT, type, runId: RUN, actor: 'rollcall' },
    ...{ accountId: about === 'account' ? ACCOUNT : null, enrollment: about === 'account' ? FIRST_KIND.id : null },
    ...{ before: null, after: null, reason: null, rule: about === 'account' ? 'production' : null },
    ...{ policyHash: POLICY_HASH, api: null, detail: null },
    ...example,
  };
  const entry = sealEntry(draft, { seq: 11, hash: 'a'.repeat(64) });
  return eventSchema(type).parse({ source: EVENT_SOURCE, 'detail-type': wordsOf(type), detail: entry });
}

/** JSON with one field of `detail` a line. */
function json(event: unknown): string[] {
  return JSON.stringify(event, null, 2).split('\n');
}

/** Every entry type with its meaning and an example. */
export function eventsPage(): string {
  return page('Audit entries and events', 'shared/domain/ledger and infra/event-schemas.ts', [
    'Rollcall records everything that it observes, decides and does as entries of the audit log. Each entry is also published to EventBridge, with the type in',
    'words as `detail-type` and the entry as `detail`. `npm run event-schemas` writes a JSON Schema for each type. New versions may add fields, so ignore fields',
    'that you do not know. Which entries the webhook sends: [alerts](../how-to/alerts.md).',
    '',
    ...table(
      ['type', '`detail-type`', 'about', 'meaning'],
      ENTRY_TYPES.map((type) => [
        `[\`${type}\`](#${type.toLowerCase()})`,
        wordsOf(type),
        KINDS[type].about,
        KINDS[type].meaning,
      ]),
    ),
    '## Examples',
    '',
    'Each is a whole event, valid against its schema. `hash` covers every other field of `detail`, and `prevHash` is the hash of the entry before it.',
    '',
    ...ENTRY_TYPES.flatMap((type) => [
      `### ${type}`,
      '',
      KINDS[type].meaning,
      '',
      '```json',
      ...json(exampleEvent(type)),
      '```',
      '',
    ]),
  ]);
}
