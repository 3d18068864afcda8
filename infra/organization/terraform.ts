import * as z from 'zod';
import type { Fields } from './objects.ts';

/*
 * The parts of the Terraform module that follow from the template: its variables are the template's parameters, and its outputs the
 * template's. Terraform reads them as JSON.
 */

const parameter = z.object({
  Type: z.enum(['String', 'Number', 'CommaDelimitedList']),
  Default: z.union([z.string(), z.number()]).optional(),
  Description: z.string().optional(),
  AllowedPattern: z.string().optional(),
  AllowedValues: z.array(z.union([z.string(), z.number()])).optional(),
  NoEcho: z.boolean().optional(),
});
type Parameter = z.infer<typeof parameter>;
const template = z.object({
  Parameters: z.record(z.string(), parameter),
  Outputs: z.record(z.string(), z.unknown()),
});

/** Parameters that the module computes from the packages. */
const COMPUTED: ReadonlySet<string> = new Set(['PackageBucket', 'PackagePrefix']);

const TYPES = { String: 'string', Number: 'number', CommaDelimitedList: 'list(string)' } as const;

/** `AlarmTopicArn` is `alarm_topic_arn`. */
export function variableName(name: string): string {
  return name.replaceAll(/(?<!^)([A-Z])/g, '_$1').toLowerCase();
}

/** @returns the content of the module's generated files by name */
export function terraformFiles(organization: Fields): Readonly<Record<string, Fields>> {
  const { Parameters, Outputs } = template.parse(organization);
  const given = Object.entries(Parameters).filter(([name]) => !COMPUTED.has(name));
  return {
    'variables.tf.json': {
      variable: Object.fromEntries(given.map(([name, each]) => [variableName(name), variable(name, each)])),
    },
    'parameters.tf.json': {
      locals: { parameters: Object.fromEntries(given.map(([name, { Type }]) => [name, argument(name, Type)])) },
    },
    'outputs.tf.json': {
      output: Object.fromEntries(Object.keys(Outputs).map((name) => [variableName(name), output(name)])),
    },
  };
}

function variable(name: string, { Type, Default, Description, NoEcho, ...allowed }: Parameter): Fields {
  const validation = validationOf(variableName(name), Type, allowed);
  return {
    type: TYPES[Type],
    ...(Description !== undefined && { description: Description }),
    ...(Default !== undefined && { default: Default }),
    ...(NoEcho === true && { sensitive: true }),
    ...(validation !== null && { validation }),
  };
}

function validationOf(
  name: string,
  type: Parameter['Type'],
  { AllowedPattern, AllowedValues }: Pick<Parameter, 'AllowedPattern' | 'AllowedValues'>,
): Fields | null {
  if (AllowedValues !== undefined) {
    const error_message = `Expected one of ${AllowedValues.join(', ')}.`;
    return { condition: `\${contains(${JSON.stringify(AllowedValues)}, var.${name})}`, error_message };
  }
  if (AllowedPattern === undefined) return null;
  // Terraform's expressions (RE2) have no repetition above 1,000; CloudFormation checks the rest.
  const pattern = JSON.stringify(`^(?:${AllowedPattern.replaceAll(/\{(\d+),\d{4,}\}/g, '{$1,}')})$`);
  const matches = (value: string): string => `can(regex(${pattern}, ${value}))`;
  const condition =
    type === 'CommaDelimitedList' ? `alltrue([for each in var.${name} : ${matches('each')}])` : matches(`var.${name}`);
  return { condition: `\${${condition}}`, error_message: `Expected the pattern ${AllowedPattern}.` };
}

/** CloudFormation's parameters are texts. */
function argument(name: string, type: Parameter['Type']): string {
  const reference = `var.${variableName(name)}`;
  if (type === 'CommaDelimitedList') return `\${join(",", ${reference})}`;
  return type === 'Number' ? `\${tostring(${reference})}` : `\${${reference}}`;
}

/** The management account's stack has no outputs. */
function output(name: string): Fields {
  return { value: `\${lookup(aws_cloudformation_stack.rollcall.outputs, "${name}", null)}` };
}
