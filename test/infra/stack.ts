import * as z from 'zod';
import { parseTemplate } from '../../infra/organization/template-yaml.ts';
import { read } from './template.ts';

/*
 * The stack of serverless.yml as CloudFormation will receive it, assembled from the sources without the framework: the parts in `resources`,
 * and the functions that the framework creates.
 */

const sections = z.record(z.string(), z.record(z.string(), z.unknown()));

const serverless = z.object({
  params: z.object({ default: z.record(z.string(), z.union([z.string(), z.number()])) }),
  functions: z.record(z.string(), z.object({ role: z.string() })),
  resources: z.array(z.union([z.string(), sections])),
});

/** The value of the framework's variables in this check. */
const VALUES: Readonly<Record<string, string>> = { 'sls:stage': 'prod' };

/** @throws Error for a part that is not valid YAML, and for a name that two parts declare */
export function assembleStack(): Record<string, unknown> {
  const { params, functions, resources } = serverless.parse(parseTemplate('serverless.yml', read('serverless.yml')));
  const parts = resources.map((part) => {
    if (typeof part !== 'string') return part;
    const path = /^\$\{file\((.+)\)\}$/.exec(part)?.[1];
    if (path === undefined) throw new Error(`serverless.yml: resources names ${part}`);
    return sections.parse(parseTemplate(path, withValues(path, read(path), params.default)));
  });
  return merged([...parts, { Resources: frameworkResources(functions) }]);
}

/** The text with the framework's variables replaced; those of CloudFormation, and escaped ones, stay. */
function withValues(path: string, text: string, params: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\\?\$\{(param|sls|opt|self|file)[:(]([^}]*)\}/g, (whole, kind: string, rest: string) => {
    if (whole.startsWith('\\')) return whole;
    // A computed policy: the role has one more policy, or none.
    if (kind === 'file') return '!Ref AWS::NoValue';
    const value = kind === 'param' ? params[rest] : VALUES[`${kind}:${rest}`];
    if (value === undefined) throw new Error(`${path} names ${whole}, which serverless.yml does not declare`);
    return String(value);
  });
}

function frameworkResources(functions: z.infer<typeof serverless>['functions']): Record<string, unknown> {
  const made = Object.entries(functions).map(([name, { role }]) => {
    const id = `${name[0]?.toUpperCase()}${name.slice(1)}LambdaFunction`;
    const Properties = { Code: {}, Role: { 'Fn::GetAtt': [role, 'Arn'] } };
    return [id, { Type: 'AWS::Lambda::Function', Properties }] as const;
  });
  return Object.fromEntries(made);
}

type Sections = z.infer<typeof sections>;

function merged(parts: readonly Sections[]): Sections {
  const whole: Sections = {};
  for (const [section, entries] of parts.flatMap((part) => Object.entries(part))) {
    const known = whole[section] ?? {};
    for (const name of Object.keys(entries)) {
      if (Object.hasOwn(known, name)) throw new Error(`${section}.${name} is declared twice`);
    }
    whole[section] = { ...known, ...entries };
  }
  return whole;
}
