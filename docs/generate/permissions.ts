import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import { KINDS } from '../../shared/domain/enrollment/kinds/index.ts';
import { code, table } from './markdown.ts';

const actions = z.union([z.string(), z.array(z.string())]).transform((found) => [found].flat());
const Statement = z.looseObject({ Sid: z.string().optional(), Action: actions });
const Policy = z.looseObject({ PolicyDocument: z.looseObject({ Statement: z.array(Statement) }) });
const Role = z.looseObject({
  RoleName: z.string().optional(),
  Policies: z.array(z.union([z.string(), Policy])).default([]),
});
const Template = z.object({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.unknown() })),
});

/** The actions of each statement of each role in a template of `infra`. */
export function rolePermissions(file: string): string {
  const text = readFileSync(new URL(`../../infra/${file}`, import.meta.url), 'utf8');
  const { Resources } = Template.parse(parse(text, { logLevel: 'silent' }));
  return Object.entries(Resources)
    .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
    .flatMap(([name, { Properties }]) => {
      const policies = Role.parse(Properties).Policies.filter((each) => typeof each !== 'string');
      const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
      return [
        `### ${name}`,
        '',
        ...table(
          ['statement', 'actions'],
          statements.map(({ Sid = '', Action }) => [Sid, Action.map(code).join(', ')]),
        ),
      ];
    })
    .join('\n');
}

/** What the caller and the member role need for each enrollment kind. */
export function kindPermissions(): string {
  return table(
    ['enrollment', 'credentials that run Rollcall', 'member role'],
    KINDS.map(({ title, iamActions: { caller, member } }) => [
      title,
      caller.map(code).join(', '),
      member.map(code).join(', '),
    ]),
  ).join('\n');
}
