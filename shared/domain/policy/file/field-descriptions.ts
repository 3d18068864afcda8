import type * as z from 'zod';
import { KINDS } from '../../enrollment/kinds/index.ts';
import { VARIABLE_SYNTAX } from './values.ts';

const RULE_MODE =
  "Automation's organization rule mode. AnyAllowed associates the account with the management account and needs Automation Active.";
const MODE = 'enforce remediates drift, alert only records and announces it, off does not evaluate the account.';
const TIME_ZONE = 'Time zone of the cron expression, a name of the IANA database.';

/** Editors show these texts on hover, and the reference lists them. By the path in the file; the fields of a list's items follow its name. */
const FIELD_DESCRIPTIONS: Readonly<Record<string, string>> = {
  version: 'Version of the format: 1.',
  organization: 'How Rollcall acts in the organization.',
  'organization.memberRole': 'Name of the IAM role in each member account that changes its enrollments; not the ARN.',
  'organization.externalId': 'External id that the member role requires.',
  'organization.organizationEnrollment':
    'auto: one call may enroll the whole organization, if the policy wants every account Active. never: accounts are changed one by one.',
  'organization.automationConfigurations':
    'observe: no organization enrollment configuration of Automation is changed. manage: Rollcall stores and deletes its own where that saves calls.',
  defaults: 'Values for every account, unless a rule sets the field.',
  ...enrollmentsOf('defaults'),
  rules: 'From top to bottom: each field is decided by the first matching rule that sets it.',
  'rules.id': 'Name of the rule in plans, explanations and the audit log.',
  'rules.match': 'The accounts of the rule.',
  ...enrollmentsOf('rules'),
  match: 'All conditions must hold; a list means any of its values.',
  'match.accounts': 'Account ids, in quotes.',
  'match.name': 'Globs over the account name, case-sensitive: * is any text, ? is one character.',
  'match.ou':
    'Paths of OU names from the root, like /Workloads/Prod, with everything below; / is the whole organization.',
  'match.tags': 'Tag keys, each with the values that match exactly.',
  'match.not': 'Accounts that this nested match does not select.',
  exemptions: 'Accounts whose drift is recorded but not remediated, until a given day.',
  'exemptions.accounts': 'The exempt accounts, ids in quotes.',
  'exemptions.enrollment': 'The exempt enrollment; both means all of them.',
  'exemptions.until': 'Last day, UTC, inclusive; at most one year ahead. The end is announced 7 days before.',
  'exemptions.reason': 'Why these accounts are exempt; shown with the exemption.',
  'exemptions.owner': 'A person or team to ask.',
  guardrails: 'Limits that stop a run. On by default.',
  'guardrails.maxChanges':
    'Accounts that may change within 24 hours: the larger of percent and atLeast. An approval lifts it, once. Approved changes do not count.',
  'guardrails.maxChanges.percent': 'Percent of the accounts in scope.',
  'guardrails.maxChanges.atLeast': 'Number of accounts that may change in any case.',
  'guardrails.maxOptOuts': 'Accounts that may be opted out within 24 hours, which deletes data. No approval lifts it.',
  'guardrails.maxOptOuts.percent': 'Percent of the accounts in scope.',
  'guardrails.maxOptOuts.atLeast': 'Number of accounts that may be opted out in any case.',
  'guardrails.minCoverage':
    "Percent of the organization's active accounts whose status a scan must know before changes are made.",
  'guardrails.failureTolerance': "Percent of a run's changes that may fail before it stops.",
  rollout: 'Try a new policy on some accounts first.',
  'rollout.canary': 'The accounts that change first.',
  'rollout.canary.match': 'The canary accounts.',
  'rollout.canary.wait': 'How long all canaries must comply before the other accounts follow.',
  windows: 'When changes may be made; without windows, at any time. Scans and alerts always continue.',
  'windows.kind': 'allow: changes are made only while such a window is open; deny: no changes while it is open.',
  'windows.cron': 'Start of the window: minute, hour, day of month, month, day of week.',
  'windows.duration': 'Length of the window, like 8h.',
  'windows.timezone': TIME_ZONE,
  limits: 'How fast Rollcall works.',
  'limits.callsPerSecond':
    'Ceiling of calls to AWS per second for all workers together; auto adapts to what AWS accepts.',
  'limits.concurrency': 'Accounts that a process handles at the same time.',
  schedule: 'Time between full scans, like 1h, or a cron expression with a time zone.',
  'schedule.cron': 'When scans start: minute, hour, day of month, month, day of week.',
  'schedule.timezone': TIME_ZONE,
  retention: 'Age at which audit log entries are removed, like 400d; without it, all are kept.',
  pendingDeadline: 'How long a change may stay unconfirmed before the account needs attention.',
  notify: 'Where events and alerts are sent.',
  'notify.eventBus': 'Name or ARN of the EventBridge bus to which every audit log entry is published.',
  'notify.webhook': "Posts alerts in the format of Slack's incoming webhooks.",
  'notify.webhook.url': `https URL; write its secret part as ${VARIABLE_SYNTAX}.`,
  'notify.webhook.events': 'The alerts to send; all of them by default.',
  'notify.webhook.secret': `Variable with the secret that signs the messages, as ${VARIABLE_SYNTAX}.`,
};

/** The fields that `defaults` and a rule have in common. */
function enrollmentsOf(section: 'defaults' | 'rules'): Record<string, string> {
  const statuses = KINDS.map(({ id, title, optOutDeletes }) => {
    const loss = optOutDeletes === null ? '' : ` (deletes ${optOutDeletes})`;
    return [
      `${section}.${id}`,
      `Desired state of ${title}: Active, Inactive${loss}, or unmanaged: neither reported nor changed.`,
    ];
  });
  return { ...Object.fromEntries(statuses), [`${section}.organizationRules`]: RULE_MODE, [`${section}.mode`]: MODE };
}

type Schema = z.core.JSONSchema.JSONSchema;

/** The schema with a description of every field. */
export function withDescriptions(schema: Schema): Schema {
  const { $defs = {}, ...rest } = schema;
  const definitions = Object.entries($defs).map(([name, each]) => [name, described(each, name)]);
  return { ...described(rest, ''), $defs: Object.fromEntries(definitions) };
}

function described(schema: Schema, path: string): Schema {
  const description = FIELD_DESCRIPTIONS[path];
  return { ...withFields(schema, path), ...(description !== undefined && { description }) };
}

/** Describes the fields below a path: of the value itself, of its alternatives, and of the items of a list. */
function withFields(schema: Schema, path: string): Schema {
  const { properties, items, anyOf } = schema;
  const below = (each: z.core.JSONSchema._JSONSchema): z.core.JSONSchema._JSONSchema =>
    typeof each === 'boolean' ? each : withFields(each, path);
  const prefix = path === '' ? '' : `${path}.`;
  const fields = Object.entries(properties ?? {}).map(([name, each]) => [
    name,
    typeof each === 'boolean' ? each : described(each, `${prefix}${name}`),
  ]);
  return {
    ...schema,
    ...(properties !== undefined && { properties: Object.fromEntries(fields) }),
    ...(anyOf !== undefined && { anyOf: anyOf.map((each) => withFields(each, path)) }),
    ...(items !== undefined && !Array.isArray(items) && { items: below(items) }),
  };
}
