/** Reads files of expectations: desired states of example accounts, which `policy test` checks without AWS (docs/reference/policy.md). */

import * as z from 'zod';
import { byKind, ENROLLMENT_IDS, EVERY_ENROLLMENT } from '../../enrollment/kinds/index.ts';
import { safeParseUntrusted } from '../../safe-parse.ts';
import { didYouMean, type Finding, findingAt, shown } from '../file/findings.ts';
import { readYaml } from '../file/read-yaml.ts';
import type { Complaint } from '../file/report.ts';
import { accountId, ouPath, tagKey, tagValue } from '../file/schema.ts';
import { choice, list, object, say, text } from '../file/schema-fields.ts';
import { issueFindings } from '../file/schema-findings.ts';
import { parseDate } from '../file/values.ts';
import { FIELDS, type Field, type FileSource, type OrganizationAccount, type Policy } from '../types.ts';

const EXEMPT = ['none', ...ENROLLMENT_IDS, EVERY_ENROLLMENT] as const;

/** The expected value of one field and, optionally, the rule that decides it. */
interface ExpectedField {
  readonly value: string;
  readonly rule: string | null;
}

/** One parsed expectation. */
export interface Expectation {
  readonly name: string;
  readonly account: OrganizationAccount;
  /** Epoch ms at which exemptions are evaluated; `null`: now. */
  readonly at: number | null;
  readonly fields: Readonly<Partial<Record<Field, ExpectedField>>>;
  readonly exempt: (typeof EXEMPT)[number] | null;
  readonly canary: boolean | null;
  readonly contradiction: boolean | null;
  /** Its path in the file, e.g. `expectations[0]`. */
  readonly path: string;
}

export interface Expectations {
  readonly list: readonly Expectation[];
  readonly source: FileSource;
}

export type ExpectationsResult =
  | { readonly ok: true; readonly expectations: Expectations }
  | { readonly ok: false; readonly findings: readonly Finding[] };

const ruleId = text({ expected: 'the id of a rule, or `defaults`' }, /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);

function field(...values: readonly string[]) {
  const expecting = { expected: values.join(' | '), choices: [...values] };
  const value = text(expecting, new RegExp(`^(${values.join('|')})$`));
  const error = say({ expected: `${values.join(' | ')}, or { value, rule }`, choices: [...values] });
  return z.union([value, object({ value, rule: ruleId })], { error }).optional();
}

const flag = z.boolean({ error: say({ expected: 'true | false' }) }).optional();

const expected = object({
  ...byKind(() => field('Active', 'Inactive', 'unmanaged')),
  organizationRules: field('AnyAllowed', 'NoneAllowed', 'unmanaged'),
  mode: field('enforce', 'alert', 'off'),
  exempt: choice(EXEMPT).optional(),
  canary: flag,
  contradiction: flag,
}).refine((value) => Object.keys(value).length > 0, {
  error: say({ expected: 'at least one thing to expect', hint: `For example \`${ENROLLMENT_IDS[0]}: Active\`.` }),
});

const account = object({
  id: accountId.optional(),
  name: z.string({ error: say({ expected: 'the name of an account' }) }).default(''),
  ou: ouPath.default('/'),
  tags: z
    .record(tagKey, tagValue, {
      error: say({ expected: 'a map of tag keys to values', hint: 'For example `tags: { env: dev }`.' }),
    })
    .default({}),
});

const day = text(
  {
    expected: 'a date, like 2027-01-31',
    hint: 'Exemptions are evaluated as of the beginning of that day, UTC.',
  },
  /^\d{4}-\d{2}-\d{2}$/,
  (value) => (parseDate(value) === null ? 'there is no such day in the calendar' : null),
);

const NONE = {
  expected: 'at least one expectation',
  hint: 'A file that expects nothing would pass whatever the policy says.',
};

const Document = object({
  version: z.literal(1, { error: say({ expected: '1', hint: 'Begin the file with `version: 1`.' }) }),
  expectations: list(
    object({
      name: text({ expected: 'a name that says what is expected' }, /\S/),
      account,
      at: day.optional(),
      expect: expected,
    }),
    'a list of expectations',
  ).min(1, { error: say(NONE) }),
});

const EMPTY: Complaint = { message: 'the file is empty', found: 'nothing', ...NONE };

/** An account that no rule names by its id. */
const NO_ID = '000000000000';

/** Reads a file of expectations and checks that the rules it names exist. Returns all findings together; never throws. */
export function parseExpectations(input: string | Uint8Array, file: string, policy: Policy): ExpectationsResult {
  const findings: Finding[] = [];
  const taken = readYaml(input, file, findings, EMPTY);
  if (taken === null) return { ok: false, findings };
  const parsed = safeParseUntrusted(Document, taken.value);
  if (!parsed.success) findings.push(...issueFindings(parsed.error.issues, taken, file));
  if (!parsed.success || findings.length > 0) return { ok: false, findings };
  const places = new Map([...taken.spots].map(([path, spot]) => [path, spot.value]));
  const source: FileSource = { file, places };
  const expectations = parsed.data.expectations.map(toExpectation);
  const wrong = [...unknownRules(expectations, policy, source), ...repeatedNames(expectations, source)];
  return wrong.length > 0 ? { ok: false, findings: wrong } : { ok: true, expectations: { list: expectations, source } };
}

type Raw = z.output<typeof Document>['expectations'][number];

function toExpectation({ name, account: given, at, expect }: Raw, index: number): Expectation {
  const { id = NO_ID, name: accountName, ou, tags } = given;
  const fields: Partial<Record<Field, ExpectedField>> = {};
  for (const each of FIELDS) {
    const value = expect[each];
    if (value !== undefined) fields[each] = typeof value === 'string' ? { value, rule: null } : value;
  }
  return {
    name,
    fields,
    path: `expectations[${index}]`,
    account: { id, name: accountName, ou, tags, state: 'ACTIVE', management: false },
    at: at === undefined ? null : parseDate(at),
    exempt: expect.exempt ?? null,
    canary: expect.canary ?? null,
    contradiction: expect.contradiction ?? null,
  };
}

function unknownRules(expectations: readonly Expectation[], policy: Policy, source: FileSource): readonly Finding[] {
  const known = ['defaults', ...policy.rules.map(({ id }) => id)];
  return expectations.flatMap(({ fields, path }) =>
    FIELDS.flatMap((each) => {
      const rule = fields[each]?.rule ?? null;
      if (rule === null || known.includes(rule)) return [];
      const meant = didYouMean(rule, known);
      return [
        findingAt(source, `${path}.expect.${each}.rule`, {
          severity: 'error',
          message: `${policy.source.file} has no rule ${shown(rule)}`,
          found: shown(rule),
          expected: 'the id of a rule of the policy, or `defaults`',
          hint: meant === null ? 'Compare it with the policy.' : `Did you mean \`${meant}\`?`,
        }),
      ];
    }),
  );
}

function repeatedNames(expectations: readonly Expectation[], source: FileSource): readonly Finding[] {
  const seen = new Set<string>();
  return expectations.flatMap(({ name, path }) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [
      findingAt(source, `${path}.name`, {
        severity: 'error',
        message: `two expectations are called ${shown(name)}`,
        found: shown(name),
        expected: 'a name of its own',
        hint: 'A failure is reported by this name.',
      }),
    ];
  });
}

/** JSON Schema (draft 2020-12) of the file, for `policy schema --expectations` and editors. */
export function expectationsJsonSchema(): object {
  return {
    title: 'Rollcall policy expectations',
    ...z.toJSONSchema(Document, { target: 'draft-2020-12', io: 'input' }),
  };
}
