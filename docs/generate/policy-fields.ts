import * as z from 'zod';
import { expectationsJsonSchema } from '../../shared/domain/policy/expectations/expectations.ts';
import { policyJsonSchema } from '../../shared/domain/policy/index.ts';
import { code, table } from './markdown.ts';

/** The part of JSON Schema that the table shows. */
const Field = z.object({
  get properties() {
    return z.record(z.string(), Field).optional();
  },
  get items() {
    return Field.optional();
  },
  get anyOf() {
    return z.array(Field).optional();
  },
  $ref: z.string().optional(),
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  const: z.union([z.string(), z.number()]).optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
  pattern: z.string().optional(),
});
type Field = z.infer<typeof Field>;
const Document = Field.extend({ $defs: z.record(z.string(), Field).optional() });

export interface PolicyField {
  readonly path: string;
  readonly field: Field;
}

/** Every field of the policy file, in the order of the schema. The fields of a list's items follow its name: `rules.id`. */
export function policyFields(): readonly PolicyField[] {
  const { $defs = {}, ...schema } = Document.parse(policyJsonSchema());
  return [...fieldsOf(schema, ''), ...Object.entries($defs).flatMap(([name, each]) => fieldsOf(each, `${name}.`))];
}

function fieldsOf({ properties = {}, items, anyOf = [] }: Field, prefix: string): PolicyField[] {
  return [
    ...Object.entries(properties).flatMap(([name, field]) => [
      { path: prefix + name, field },
      ...fieldsOf(field, `${prefix}${name}.`),
    ]),
    ...[...(items === undefined ? [] : [items]), ...anyOf].flatMap((each) => fieldsOf(each, prefix)),
  ];
}

/** A table of all fields, for `docs/reference/policy.md`. */
export function policyFieldTable(): string {
  return table(
    ['field', 'values', 'default', 'meaning'],
    policyFields().map(({ path, field }) => [code(path), valuesOf(field), defaultOf(field), field.description ?? '']),
  ).join('\n');
}

/** A table of what an expectation can name, for `docs/reference/policy.md`. */
export function expectationTable(): string {
  const found = fieldsOf(Field.parse(expectationsJsonSchema()), '').filter(({ path }) => EXPECTED.test(path));
  const hasRule = new Set(found.flatMap(({ path }) => (path.endsWith('.rule') ? [path.replace(/\.rule$/, '')] : [])));
  return table(
    ['field', 'values', 'also with the rule that must decide it'],
    found
      .filter(({ path }) => path.split('.').length === DEPTH)
      .map(({ path, field }) => [
        code(path.replace(EXPECTED, '')),
        choicesOf(field).map(code).join(', '),
        hasRule.has(path) ? code('{ value: …, rule: … }') : '',
      ]),
  ).join('\n');
}

const EXPECTED = /^expectations\.expect\./;
/** `expectations.expect.NAME` */
const DEPTH = 3;

/** The words that a field accepts. An object (`{ value, rule }`) is another form of the same words. */
function choicesOf({ type, enum: words, anyOf, pattern }: Field): readonly string[] {
  if (words !== undefined) return words;
  if (type === 'boolean') return ['true', 'false'];
  if (anyOf !== undefined) return anyOf.flatMap(choicesOf);
  return /^\^\(([\w|]+)\)\$$/.exec(pattern ?? '')?.[1]?.split('|') ?? [];
}

function defaultOf({ default: value }: Field): string {
  const isSection = typeof value === 'object';
  return value === undefined || isSection ? '' : code(String(value));
}

const DURATION = /^\^\\d\{1,9\}\[smhd\]\$$/;

function valuesOf(field: Field): string {
  const { type, anyOf, pattern, items } = field;
  if (field.$ref !== undefined) return `a [match](#match)`;
  if (field.enum !== undefined) return field.enum.map(code).join(', ');
  if (field.const !== undefined) return code(String(field.const));
  if (anyOf !== undefined) return [...new Set(anyOf.map(valuesOf))].join(', or ');
  if (type === 'array')
    return items === undefined ? 'a list' : `a list of ${items.properties ? 'maps' : valuesOf(items)}`;
  if (type === 'object') return 'a map';
  if (type === 'number' || type === 'integer') return rangeOf(field);
  return pattern !== undefined && DURATION.test(pattern) ? 'a duration' : 'text';
}

function rangeOf({ minimum, exclusiveMinimum, maximum, type }: Field): string {
  const what = type === 'integer' ? 'a whole number' : 'a number';
  const from = exclusiveMinimum === undefined ? `from ${minimum ?? 0}` : `above ${exclusiveMinimum}`;
  return `${what} ${from} to ${(maximum ?? 0).toLocaleString('en-US')}`;
}
