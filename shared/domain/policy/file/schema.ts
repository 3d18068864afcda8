import { DEFAULT_LIMITS } from '../limits.ts';
import { choice, duration, list, number, object, oneOrMany, say, text } from './schema-fields.ts';
/** The schema of the policy file: it validates, fills in defaults, and gives the JSON Schema for editors. */

import * as z from 'zod';
import { cronProblem } from '../../cron.ts';
import { byKind, ENROLLMENT_IDS, EVERY_ENROLLMENT } from '../../enrollment/kinds/index.ts';
import { WEBHOOK_EVENTS } from '../types.ts';
import { withDescriptions } from './field-descriptions.ts';
import { isOuPath, isTimeZone, parseDate, VARIABLE_SYNTAX } from './values.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

export const accountId = text(
  { expected: 'an account id: 12 digits in quotes', hint: 'Write it in quotes, like "012345678901".' },
  /^\d{12}$/,
).meta({ pattern: '^\\d{12}$', examples: ['123456789012'] });

export const ouPath = text(
  {
    expected: 'the path of an OU, like /Workloads/Prod',
    hint: 'Begin with /, and do not end with one; / alone is the whole organization.',
  },
  /^\/[\s\S]*$/,
  (value) => (isOuPath(value) ? null : 'write one / before each name and none at the end'),
);

const nameGlob = text(
  { expected: 'a name or glob, like dev-*', hint: '* stands for any text, ? for one character.' },
  /^[\s\S]{1,256}$/,
);
export const tagValue = text({ expected: 'a tag value: a text', hint: 'Quote it.' }, /^[\s\S]{0,256}$/);
export const tagKey = text({ expected: 'a tag key of 1 to 128 characters' }, /^[\s\S]{1,128}$/);

const tags = z
  .record(tagKey, oneOrMany(tagValue, 'a tag value: a text'), {
    error: say({ expected: 'a map of tag keys to values', hint: 'For example `tags: { env: [dev, test] }`.' }),
  })
  .refine((value) => Object.keys(value).length > 0, {
    error: say({ expected: 'at least one tag', hint: 'Name a tag, or remove the condition.' }),
  });

const conditions = {
  accounts: oneOrMany(accountId, 'an account id: 12 digits in quotes').optional(),
  name: oneOrMany(nameGlob, 'a name or glob, like dev-*').optional(),
  ou: oneOrMany(ouPath, 'the path of an OU, like /Workloads/Prod').optional(),
  tags: tags.optional(),
};

export interface RawMatch {
  accounts?: readonly string[] | undefined;
  name?: readonly string[] | undefined;
  ou?: readonly string[] | undefined;
  tags?: Readonly<Record<string, readonly string[]>> | undefined;
  not?: RawMatch | undefined;
}

const match: z.ZodType<RawMatch> = z
  .lazy(() => object({ ...conditions, not: match.optional() }))
  .refine((value) => Object.keys(value).length > 0, {
    error: say({
      expected: 'at least one of accounts, name, ou, tags, not',
      hint: 'An empty match selects nothing and everything alike. What should hold for every account belongs in `defaults`.',
    }),
  })
  .meta({ id: 'match' });

const status = choice(['Active', 'Inactive', 'unmanaged']);
const ruleMode = choice(['AnyAllowed', 'NoneAllowed', 'unmanaged']);
const mode = choice(['enforce', 'alert', 'off']);

const defaults = object({
  ...byKind(() => status.default('unmanaged')),
  organizationRules: ruleMode.default('unmanaged'),
  mode: mode.default('enforce'),
});

const rule = object({
  id: text(
    {
      expected: 'an id: up to 64 letters, digits, `.`, `_` or `-`',
      hint: 'It names the rule in plans and in the audit trail.',
    },
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    (value) => (value === 'defaults' ? '`defaults` is what plans call the defaults: choose another id' : null),
  ),
  match,
  ...byKind(() => status.exactOptional()),
  organizationRules: ruleMode.exactOptional(),
  mode: mode.exactOptional(),
});

const sentence = (what: string) =>
  text({ expected: what, hint: 'It is shown wherever the exemption has an effect.' }, /\S/).max(500, {
    error: say({ expected: `${what} of at most 500 characters` }),
  });

const exemption = object({
  accounts: oneOrMany(accountId, 'an account id: 12 digits in quotes'),
  enrollment: choice([...ENROLLMENT_IDS, EVERY_ENROLLMENT]).default(EVERY_ENROLLMENT),
  until: text(
    {
      expected: 'a date, like 2027-01-31',
      hint: 'The exemption ends at the end of that day, UTC; at most one year ahead.',
    },
    /^\d{4}-\d{2}-\d{2}$/,
    (value) => (parseDate(value) === null ? 'there is no such day in the calendar' : null),
  ),
  reason: sentence('a reason'),
  owner: sentence('an owner: a person or team to ask'),
});

const percent = number('a percentage from 0 to 100', { min: 0, max: 100 });
const cap = (percentDefault: number, atLeastDefault: number) =>
  object({
    percent: percent.default(percentDefault),
    atLeast: number('a whole number of accounts, 0 or more', { min: 0, max: 1_000_000, integer: true }).default(
      atLeastDefault,
    ),
  }).prefault({});

const guardrails = object({
  maxChanges: cap(20, 10),
  maxOptOuts: cap(0, 0),
  minCoverage: percent.default(98),
  failureTolerance: percent.default(10),
});

const timezone = text(
  { expected: 'a time zone, like Europe/Berlin or UTC', hint: 'Use a name of the IANA time zone database.' },
  /^[A-Za-z][A-Za-z0-9_+\-/]*$/,
  (value) => (isTimeZone(value) ? null : 'this name is not in the IANA time zone database'),
);

const cron = text(
  {
    expected: 'a cron expression with 5 fields, like 0 9 * * 1-5',
    hint: 'The fields: minute, hour, day of month, month, day of week.',
  },
  /^[\s\S]{1,200}$/,
  (value) => cronProblem(value, 'UTC'),
).transform((value) => value.trim().split(/\s+/).join(' '));

const window = object({
  kind: choice(['allow', 'deny']),
  cron,
  duration: duration('a duration from 1m to 31d', MINUTE, 31 * DAY),
  timezone: timezone.prefault('UTC'),
});

const schedule = z.union(
  [duration('a duration from 1m to 31d', MINUTE, 31 * DAY), object({ cron, timezone: timezone.prefault('UTC') })],
  { error: say({ expected: 'a duration from 1m to 31d, or { cron, timezone }', hint: 'For example `schedule: 1h`.' }) },
);

const RATE = '`auto`, or a number above 0, at most 1000';
const callsPerSecond = z.union(
  [number(RATE, { min: 0, max: 1000, above: 0 }), z.literal('auto', { error: say({ expected: RATE }) })],
  { error: say({ expected: RATE }) },
);

const webhook = object({
  url: z.string({
    error: say({
      expected: 'an https URL',
      hint: `Keep its secret part in an environment variable and write it as ${VARIABLE_SYNTAX}.`,
    }),
  }),
  events: list(choice(WEBHOOK_EVENTS), `a list of ${WEBHOOK_EVENTS.join(', ')}`)
    .min(1, { error: say({ expected: 'at least one event', hint: 'Leave `events` out to be told all of them.' }) })
    .prefault([...WEBHOOK_EVENTS]),
  secret: text(
    {
      expected: `a variable, like ${VARIABLE_SYNTAX}`,
      hint: 'A secret has no place in the file: put it in an environment variable and name that one here.',
    },
    /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/,
  ).optional(),
});

/** Sections of the file, in the order in which they are documented. */
export const PolicyDocument = object({
  version: z.literal(1, { error: say({ expected: '1', hint: 'Begin the file with `version: 1`.' }) }),
  organization: object({
    memberRole: text(
      { expected: 'the name of an IAM role, not its ARN' },
      /^(?:[\w+=,.@-]+\/)*[\w+=,.@-]{1,64}$/,
    ).default('RollcallMember'),
    externalId: text(
      { expected: 'an external id: 2 to 1224 letters, digits or +=,.@:/-' },
      /^[\w+=,.@:/-]{2,1224}$/,
    ).optional(),
    organizationEnrollment: choice(['never', 'auto']).default('never'),
    automationConfigurations: choice(['observe', 'manage']).default('observe'),
  }).prefault({}),
  defaults: defaults.prefault({}),
  rules: list(rule, 'a list of rules')
    .max(1000, { error: say({ expected: 'at most 1000 rules', hint: 'Match by ou, tags or name instead.' }) })
    .prefault([]),
  exemptions: list(exemption, 'a list of exemptions').prefault([]),
  guardrails: guardrails.prefault({}),
  rollout: object({
    canary: object({ match, wait: duration('a duration from 1s to 31d', SECOND, 31 * DAY) }),
  }).optional(),
  windows: list(window, 'a list of windows')
    .max(50, { error: say({ expected: 'at most 50 windows' }) })
    .optional(),
  limits: object({
    callsPerSecond: callsPerSecond.default(DEFAULT_LIMITS.callsPerSecond),
    concurrency: number('a whole number from 1 to 1000', { min: 1, max: 1000, integer: true }).default(
      DEFAULT_LIMITS.concurrency,
    ),
  }).prefault({}),
  schedule: schedule.prefault('1h'),
  retention: duration('a duration from 1d to 3660d', DAY, 3660 * DAY).optional(),
  pendingDeadline: duration('a duration from 1s to 31d', SECOND, 31 * DAY).prefault('24h'),
  notify: object({
    eventBus: text(
      { expected: 'the name or ARN of an EventBridge bus', hint: 'For example `default`.' },
      /^(?:arn:[\w-]+:events:[\w-]+:\d{12}:event-bus\/)?[/.\-_A-Za-z0-9]{1,256}$/,
    ).optional(),
    webhook: webhook.optional(),
  })
    .refine((value) => Object.keys(value).length > 0, {
      error: say({ expected: 'eventBus, webhook or both', hint: 'Remove `notify` to be told nothing.' }),
    })
    .optional(),
});

export type PolicyData = z.output<typeof PolicyDocument>;

/** JSON Schema (draft 2020-12) of the file, for `policy schema` and editors. */
export function policyJsonSchema(): object {
  const schema = z.toJSONSchema(PolicyDocument, { target: 'draft-2020-12', io: 'input' });
  return { title: 'Rollcall policy', ...withDescriptions(schema) };
}

const Section = z.object({
  get properties() {
    return z.record(z.string(), Section).default({});
  },
});

/** The paths of the fields with this name, at the top of the file or in one of its sections: `organization.memberRole`. */
export function fieldsNamed(name: string): readonly string[] {
  const { properties } = Section.parse(z.toJSONSchema(PolicyDocument, { io: 'input' }));
  return [
    ...(Object.hasOwn(properties, name) ? [name] : []),
    ...Object.entries(properties).flatMap(([section, { properties: fields }]) =>
      Object.hasOwn(fields, name) ? [`${section}.${name}`] : [],
    ),
  ];
}
