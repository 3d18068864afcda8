import * as z from 'zod';

/*
 * What the organization template creates in one account: its conditions, evaluated with the parameters.
 */

const statement = z.looseObject({ Action: z.union([z.string(), z.array(z.string())]) });
const policies = z.object({
  Policies: z.array(z.looseObject({ PolicyDocument: z.object({ Statement: z.array(statement) }).optional() })),
});
/** A policy that is attached to a role of the template. */
const attached = z.object({
  RoleName: z.object({ Ref: z.string() }),
  PolicyDocument: z.object({ Statement: z.array(statement) }),
});
const templateSchema = z.object({
  Parameters: z.record(z.string(), z.looseObject({ Default: z.union([z.string(), z.number()]).optional() })),
  Conditions: z.record(z.string(), z.unknown()),
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Condition: z.string().optional(), Properties: z.unknown() }),
  ),
});
type Template = z.infer<typeof templateSchema>;

export interface TemplateContents {
  /** Number of resources by type. */
  readonly types: ReadonlyMap<string, number>;
  readonly roles: readonly { readonly name: string; readonly actions: readonly string[] }[];
}

export function parametersOf(template: unknown): readonly string[] {
  return Object.keys(templateSchema.parse(template).Parameters);
}

/** @param values of parameters and pseudo parameters (`AWS::AccountId`, `AWS::Region`, `AWS::Partition`) */
export function contentsOf(template: unknown, values: Readonly<Record<string, string>>): TemplateContents {
  const parsed = templateSchema.parse(template);
  const made = Object.entries(parsed.Resources).filter(
    ([, { Condition }]) => Condition === undefined || holds(parsed, values, { Condition }),
  );
  const types = new Map<string, number>();
  for (const [, { Type }] of made) types.set(Type, (types.get(Type) ?? 0) + 1);
  const others = made
    .filter(([, { Type }]) => Type === 'AWS::IAM::RolePolicy')
    .map(([, { Properties }]) => attached.parse(Properties));
  const roles = made
    .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
    .map(([name, { Properties }]) => {
      const own = policies.parse(Properties).Policies.flatMap((each) => each.PolicyDocument?.Statement ?? []);
      const more = others.filter(({ RoleName }) => RoleName.Ref === name);
      const statements = [...own, ...more.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)];
      return { name: name.replace(/Role$/, ''), actions: [...new Set(statements.flatMap(({ Action }) => Action))] };
    });
  return { types, roles };
}

const pair = z.tuple([z.unknown(), z.unknown()]);
const condition = z.union([
  z.strictObject({ Condition: z.string() }),
  z.strictObject({ 'Fn::Equals': pair }),
  z.strictObject({ 'Fn::Not': z.tuple([z.unknown()]) }),
  z.strictObject({ 'Fn::And': z.array(z.unknown()) }),
  z.strictObject({ 'Fn::Or': z.array(z.unknown()) }),
]);

function holds(template: Template, values: Readonly<Record<string, string>>, expression: unknown): boolean {
  const found = condition.parse(expression);
  const inner = (each: unknown): boolean => holds(template, values, each);
  if ('Condition' in found) return inner(template.Conditions[found.Condition]);
  if ('Fn::Not' in found) return !inner(found['Fn::Not'][0]);
  if ('Fn::And' in found) return found['Fn::And'].every(inner);
  if ('Fn::Or' in found) return found['Fn::Or'].some(inner);
  const [first, second] = found['Fn::Equals'].map((each) => operandOf(template, values, each));
  return first === second;
}

const reference = z.strictObject({ Ref: z.string() });

function operandOf({ Parameters }: Template, values: Readonly<Record<string, string>>, value: unknown): string {
  const found = reference.safeParse(value);
  if (!found.success) return String(value);
  const { Ref } = found.data;
  return values[Ref] ?? String(Parameters[Ref]?.Default ?? '');
}
