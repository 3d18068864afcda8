import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import { functionResources, functionsSchema, providerSchema } from './functions.ts';
import { type Fields, fieldsOf, isObject } from './objects.ts';
import { parseTemplate } from './template-yaml.ts';
import { withParameters } from './variables.ts';

/*
 * Makes the organization template from the sources that are deployed otherwise: the stack of serverless.yml, the templates of members and
 * of the management account, and infra/organization.yml, which joins them.
 */

const root = resolve(import.meta.dirname, '../..');
const sections = z.record(z.string(), z.record(z.string(), z.unknown()));

const serverless = z.object({
  provider: providerSchema,
  functions: functionsSchema,
  resources: z.array(z.string()),
});
const single = z.object({
  Description: z.string(),
  Parameters: z.record(z.string(), z.unknown()),
  Resources: sections,
});
type Single = z.infer<typeof single>;

/** The condition of all resources that only Rollcall's account gets. */
const HERE = 'RunsHere';

/** @returns the template, ready for `JSON.stringify`. @throws Error for sources that do not fit together */
export function assembleOrganization(): Fields {
  const own = fieldsOf(parse('infra/organization.yml'), 'infra/organization.yml');
  const stack = stackSections();
  const management = managementResources();
  const bodies: Readonly<Record<string, unknown>> = {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the placeholders of infra/organization.yml
    '${template:members}': parse('infra/member-role.yml'),
    '${template:member-events}': memberEvents(),
    '${template:management-events}': managementEvents(),
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the placeholders of infra/organization.yml
  };
  return {
    AWSTemplateFormatVersion: own['AWSTemplateFormatVersion'],
    Description: own['Description'],
    Parameters: own['Parameters'],
    Conditions: { ...fieldsOf(own['Conditions'], 'Conditions'), ...stack.conditions },
    Resources: joined(stack.resources, joined(management, fieldsOf(withBodies(own['Resources'], bodies), 'Resources'))),
    Outputs: stack.outputs,
  };
}

function parse(path: string): unknown {
  return parseTemplate(path, readFileSync(resolve(root, path), 'utf8'));
}

/** The stack of serverless.yml, under the condition that this is Rollcall's account. */
function stackSections() {
  const { provider, functions, resources } = serverless.parse(parse('serverless.yml'));
  const parts = resources.map((part) => {
    const path = /^\$\{file\((.+)\)\}$/.exec(part)?.[1];
    if (path === undefined) throw new Error(`serverless.yml: resources names ${part}, expected \${file(PATH)}`);
    return sections.parse(withParameters(parse(path)));
  });
  const section = (name: string) => parts.map((part) => part[name] ?? {}).reduce(joined, {});
  const made = joined(section('Resources'), functionResources(functions, provider));
  const conditions = Object.entries(section('Conditions')).map(
    ([name, condition]) => [name, { 'Fn::And': [{ Condition: HERE }, condition] }] as const,
  );
  return { conditions: Object.fromEntries(conditions), resources: here(made), outputs: here(section('Outputs')) };
}

/** Adds the condition to resources without one; the conditions of the other resources include it. */
function here(members: Fields): Fields {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [name, { Condition: HERE, ...fieldsOf(member, name) }]),
  );
}

/** @throws Error for a name that both have */
function joined(first: Fields, second: Fields): Fields {
  const twice = Object.keys(second).find((name) => Object.hasOwn(first, name));
  if (twice !== undefined) throw new Error(`${twice} is declared twice`);
  return { ...first, ...second };
}

function readSingle(path: string): Single {
  return single.parse(parse(path));
}

/** The rule of member accounts without the roles: roles are global, and exist already. */
function memberEvents(): Fields {
  const { Parameters, Resources } = readSingle('infra/member-role.yml');
  const { ForwardRule, ForwardRole } = Resources;
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: 'Rollcall: forwards enrollment calls made in this account and Region to Rollcall',
    Parameters: { EventBusArn: required(Parameters['EventBusArn']) },
    Resources: { ForwardRule: unconditional(ForwardRule), ForwardRole: unconditional(ForwardRole) },
  };
}

/** Without a default, and without the empty value. */
function required(parameter: unknown): Fields {
  const { Type, AllowedPattern } = fieldsOf(parameter, 'EventBusArn');
  return { Type, AllowedPattern: String(AllowedPattern).replace(/^\((.+)\)\?$/, '$1') };
}

function unconditional(resource: unknown): Fields {
  const { Condition: _, ...rest } = fieldsOf(resource, 'ForwardRule');
  return rest;
}

/** The rule of the management account for another Region, whose role is in the stack. */
function managementEvents(): Fields {
  const { Description, Parameters, Resources } = readSingle('infra/organizations-events.yml');
  const pointed = replaced(Resources['ForwardRule'], ['Fn::GetAtt', 'ForwardRole,Arn'], { Ref: 'ForwardRoleArn' });
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description,
    Parameters: { ...Parameters, ForwardRoleArn: { Type: 'String' } },
    Resources: { ForwardRule: pointed },
  };
}

/** The rule and its role for the stack's Region. */
function managementResources(): Fields {
  const { Resources } = readSingle('infra/organizations-events.yml');
  const bus = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's references
    'Fn::Sub': 'arn:${AWS::Partition}:events:${AWS::Region}:${RollcallAccountId}:event-bus/rollcall-${Stage}',
  };
  const withBus = replaced(Resources, ['Ref', 'EventBusArn'], bus);
  const role = { 'Fn::GetAtt': ['ManagementForwardRole', 'Arn'] };
  const { ForwardRule, ForwardRole } = fieldsOf(
    replaced(withBus, ['Fn::GetAtt', 'ForwardRole,Arn'], role),
    'Resources',
  );
  return {
    ManagementForwardRule: { Condition: 'ForwardsFromHere', ...fieldsOf(ForwardRule, 'ForwardRule') },
    ManagementForwardRole: { Condition: 'Forwards', ...fieldsOf(ForwardRole, 'ForwardRole') },
  };
}

/** Replaces each call of a function with this argument. */
function replaced(value: unknown, [name, argument]: readonly [string, string], by: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => replaced(each, [name, argument], by));
  if (!isObject(value)) return value;
  if (String(value[name]) === argument) return by;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaced(inner, [name, argument], by)]));
}

/** Puts the templates of the StackSets in the place of their names. */
function withBodies(value: unknown, bodies: Readonly<Record<string, unknown>>): unknown {
  if (typeof value === 'string' && Object.hasOwn(bodies, value)) return JSON.stringify(bodies[value]);
  if (Array.isArray(value)) return value.map((each) => withBodies(each, bodies));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withBodies(inner, bodies)]));
}
