import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import { parseTemplate } from '../../infra/organization/template-yaml.ts';
import { withoutFunctions } from './without-functions.ts';

const root = resolve(import.meta.dirname, '../..');

const statement = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string(), z.array(z.string())]).transform((found) => [found].flat()),
  Resource: z.unknown().optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  Principal: z.unknown().optional(),
});
export type Statement = z.infer<typeof statement>;
const policyDocument = z.object({ Version: z.literal('2012-10-17'), Statement: z.array(statement) });

const resource = z.object({
  Type: z.string(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  Condition: z.string().optional(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
export type Resource = z.infer<typeof resource>;
export const template = z.object({
  Parameters: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), resource),
});

export function read(path: string): string {
  return readFileSync(resolve(root, path), 'utf8');
}

/** All YAML files that are deployed or become part of a deployment. */
export const TEMPLATES: readonly string[] = [
  'serverless.yml',
  ...globSync('infra/**/*.{yml,yaml}', { cwd: root }).filter(
    (path) => path !== 'infra/policy.yaml' && !/^infra\/(container|prometheus)\//.test(path),
  ),
].sort();

/** No test changes the files. */
const parsed = new Map<string, z.infer<typeof template>>();

/**
 * A parsed template, without the names of CloudFormation's functions (`!Ref`), which the comparisons ignore.
 * @throws Error for what is not valid YAML
 */
export function readTemplate(path: string): z.infer<typeof template> {
  const known = parsed.get(path);
  if (known !== undefined) return known;
  const found = template.parse(withoutFunctions(parseTemplate(path, read(path))));
  parsed.set(path, found);
  return found;
}

/** Finds a required resource. */
export function resourceOf(path: string, name: string): Resource {
  const found = readTemplate(path).Resources[name];
  if (found === undefined) throw new Error(`${path} has no resource ${name}`);
  return found;
}

const role = z.object({
  AssumeRolePolicyDocument: policyDocument,
  Policies: z.array(z.union([z.object({ PolicyDocument: policyDocument }), z.string(), z.object({ Ref: z.string() })])),
});

/** The statements of all policies of a role. A computed (`${file(…)}`) or omitted policy has no statements here. */
export function statementsOf({ Properties }: Resource): readonly Statement[] {
  return role
    .parse(Properties)
    .Policies.flatMap((policy) =>
      typeof policy === 'object' && 'PolicyDocument' in policy ? policy.PolicyDocument.Statement : [],
    );
}

/** The statements of a policy that is a resource of its own. */
export function policyOf({ Properties }: Resource): readonly Statement[] {
  return z.object({ PolicyDocument: policyDocument }).parse(Properties).PolicyDocument.Statement;
}

export function trustOf({ Properties }: Resource): readonly Statement[] {
  return role.parse(Properties).AssumeRolePolicyDocument.Statement;
}

export function actionsOf(statements: readonly Statement[]): readonly string[] {
  return statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action);
}
