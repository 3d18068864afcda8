import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import { parseTemplate, withoutFunctions } from './cloudformation-yaml.ts';

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

/** Every YAML file that is deployed, or made into what is deployed. */
export const TEMPLATES: readonly string[] = [
  'serverless.yml',
  ...globSync('infra/**/*.{yml,yaml}', { cwd: root }).filter((path) => path !== 'infra/policy.yaml'),
].sort();

/**
 * A template's source. The names of CloudFormation's functions (`!Ref`) are left out: what is compared here does not need them.
 * @throws Error for what is not valid YAML
 */
export function readTemplate(path: string): z.infer<typeof template> {
  return template.parse(withoutFunctions(parseTemplate(path, read(path))));
}

/** A resource that has to be there. */
export function resourceOf(path: string, name: string): Resource {
  const found = readTemplate(path).Resources[name];
  if (found === undefined) throw new Error(`${path} has no resource ${name}`);
  return found;
}

const role = z.object({
  AssumeRolePolicyDocument: policyDocument,
  Policies: z.array(z.union([z.object({ PolicyDocument: policyDocument }), z.string(), z.object({ Ref: z.string() })])),
});

/** What a role may do, over all its policies; a policy that is computed (`${file(…)}`) or left out has no statements here. */
export function statementsOf({ Properties }: Resource): readonly Statement[] {
  return role
    .parse(Properties)
    .Policies.flatMap((policy) =>
      typeof policy === 'object' && 'PolicyDocument' in policy ? policy.PolicyDocument.Statement : [],
    );
}

export function trustOf({ Properties }: Resource): readonly Statement[] {
  return role.parse(Properties).AssumeRolePolicyDocument.Statement;
}

export function actionsOf(statements: readonly Statement[]): readonly string[] {
  return statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action);
}
