// biome-ignore-all lint/suspicious/noTemplateCurlyInString: exactly as in a template
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { assembleOrganization } from '../../../infra/organization/assemble.ts';
import { parseTemplate } from '../../../infra/organization/template-yaml.ts';
import { withParameters } from '../../../infra/organization/variables.ts';
import { assembleStack } from '../stack.ts';
import { structureFaults } from '../structure.ts';
import { actionsOf, read, resourceOf, statementsOf, template } from '../template.ts';
import { withoutFunctions } from '../without-functions.ts';

const built = assembleOrganization();
const members = z.record(z.string(), z.looseObject({ Condition: z.string().optional() }));
const sections = z.object({ Resources: members, Outputs: members, Conditions: z.record(z.string(), z.unknown()) });
const { Resources, Outputs, Conditions } = sections.parse(built);
const stack = sections.parse(assembleStack());

const stackSet = 'AWS::CloudFormation::StackSet';

describe('the organization template', () => {
  it('is up to date (`npm run organization` renews it)', () => {
    expect(JSON.parse(read('infra/organization.template.json'))).toEqual(built);
  });

  it('is valid for CloudFormation, in every partition, and fits into a request from S3', () => {
    expect(structureFaults(built)).toEqual([]);
    const text = JSON.stringify(built);
    expect(text).not.toMatch(/arn:aws[:-]/);
    expect(text).not.toMatch(/\$\{(?:param|sls|file|opt|template):/);
    expect(Buffer.byteLength(text)).toBeLessThan(1_000_000);
  });

  it('has everything that serverless.yml deploys, in Rollcall’s account only', () => {
    for (const name of Object.keys(stack.Resources)) {
      const condition = Resources[name]?.Condition;
      const held = condition === 'RunsHere' || JSON.stringify(Conditions[condition ?? ''])?.includes('RunsHere');
      expect([name, held]).toEqual([name, true]);
    }
    expect(Object.keys(Outputs)).toEqual(Object.keys(stack.Outputs));
    expect(Outputs['EventBusArn']).toMatchObject({ Condition: 'RunsHere' });
  });

  it('gives the functions the same permissions as serverless.yml', () => {
    // Without the computed policy, whose statements depend on where the policy is.
    const computed = (value: unknown): unknown =>
      Array.isArray(value) ? value.filter((each) => !/PolicyInBucket/.test(JSON.stringify(each))) : value;
    const roles = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');
    const plain = roles.map(([name, { Properties, ...role }]) => {
      const { Policies, ...rest } = Object(Properties);
      return [name, { ...role, Properties: { ...rest, Policies: computed(Policies) } }] as const;
    });
    const found = template.parse(withoutFunctions({ Resources: Object.fromEntries(plain) })).Resources;
    for (const name of ['TickRole', 'ScannerRole', 'WorkerRole', 'ReactorRole', 'ApiRole']) {
      const role = found[name];
      if (role === undefined) throw new Error(`there is no ${name}`);
      expect(actionsOf(statementsOf(role))).toEqual(actionsOf(statementsOf(resourceOf('infra/roles.yml', name))));
    }
  });

  it('deploys the templates of members and of the management account in StackSets, which are valid themselves', () => {
    const bodyOf = (name: string): unknown => JSON.parse(String(Object(Resources[name]?.['Properties']).TemplateBody));
    expect(bodyOf('MembersStackSet')).toEqual(parseTemplate('infra/member-role.yml', read('infra/member-role.yml')));
    for (const name of ['MembersStackSet', 'MemberEventsStackSet', 'UsEast1EventsStackSet']) {
      expect([name, structureFaults(bodyOf(name))]).toEqual([name, []]);
    }
    const rule = (body: unknown) => sections.pick({ Resources: true }).parse(body).Resources['ForwardRule'];
    expect(Object(rule(bodyOf('MemberEventsStackSet'))?.['Properties']).EventPattern).toEqual(
      resourceOf('infra/member-role.yml', 'ForwardRule').Properties['EventPattern'],
    );
    expect(Object(rule(bodyOf('UsEast1EventsStackSet'))?.['Properties']).EventPattern).toEqual(
      resourceOf('infra/organizations-events.yml', 'ForwardRule').Properties['EventPattern'],
    );
  });

  it('creates the stacks of many members in parallel, however few of them may fail', () => {
    const preferences = Object.values(Resources)
      .filter(({ Type, Properties }) => Type === stackSet && Object(Properties).PermissionModel === 'SERVICE_MANAGED')
      .map(({ Properties }) => Object(Properties).OperationPreferences);
    expect(preferences).toHaveLength(2);
    for (const each of preferences) {
      // With the default, STRICT_FAILURE_TOLERANCE, only as many accounts as may fail, and one more, are handled in parallel.
      expect(each).toMatchObject({ ConcurrencyMode: 'SOFT_FAILURE_TOLERANCE', MaxConcurrentPercentage: 100 });
    }
  });

  it('passes every parameter that the StackSets’ templates require', () => {
    for (const name of ['MembersStackSet', 'MemberEventsStackSet', 'UsEast1EventsStackSet']) {
      const properties = z
        .looseObject({ TemplateBody: z.string(), Parameters: z.array(z.object({ ParameterKey: z.string() })) })
        .parse(Resources[name]?.['Properties']);
      const body = z
        .object({ Parameters: z.record(z.string(), z.unknown()) })
        .parse(JSON.parse(properties.TemplateBody));
      expect(properties.Parameters.map(({ ParameterKey }) => ParameterKey).sort()).toEqual(
        Object.keys(body.Parameters).sort(),
      );
    }
  });

  it('lets Rollcall’s account read exactly what its roles read of the organization', () => {
    const roles = ['ScannerRole', 'WorkerRole', 'ReactorRole'].map((name) => resourceOf('infra/roles.yml', name));
    const used = roles.flatMap((role) => actionsOf(statementsOf(role))).filter((each) => /^organizations:/.test(each));
    const content = z
      .looseObject({ Content: z.object({ Statement: z.tuple([z.looseObject({ Action: z.array(z.string()) })]) }) })
      .parse(Resources['ReadsDelegation']?.['Properties']).Content;
    expect([...content.Statement[0].Action].sort()).toEqual([...new Set(used)].sort());
  });

  it('lets the StackSet of us-east-1 create its one rule, and nothing else', () => {
    const found = template.parse(withoutFunctions(built)).Resources['StackSetExecutionRole'];
    const services = actionsOf(found === undefined ? [] : statementsOf(found)).map((action) => action.split(':')[0]);
    expect([...new Set(services)]).toEqual(['cloudformation', 'events', 'iam']);
    expect(actionsOf(found === undefined ? [] : statementsOf(found)).filter((each) => /^iam:|\*/.test(each))).toEqual([
      'iam:PassRole',
    ]);
  });
});

describe('the framework’s variables', () => {
  it('become references to parameters', () => {
    expect(
      withParameters({
        A: '${param:memberRole}',
        B: 'rollcall-${sls:stage}',
        C: { 'Fn::Sub': '${AWS::Region}-${sls:stage}' },
        D: '\\${aws:PrincipalOrgID}',
      }),
    ).toEqual({
      A: { Ref: 'MemberRole' },
      B: { 'Fn::Sub': 'rollcall-${Stage}' },
      C: { 'Fn::Sub': '${AWS::Region}-${Stage}' },
      D: '${aws:PrincipalOrgID}',
    });
  });

  it('that have no parameter are an error', () => {
    expect(() => withParameters('${param:colour}')).toThrow('${param:colour} has no parameter');
  });
});
