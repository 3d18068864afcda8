// biome-ignore-all lint/suspicious/noTemplateCurlyInString: exactly as in a template
import { describe, expect, it } from 'vitest';
import { parseTemplate } from '../../infra/organization/template-yaml.ts';
import { assembleStack } from './stack.ts';
import { structureFaults } from './structure.ts';
import { read, TEMPLATES } from './template.ts';

/** Templates with their own stack; the others are parts of serverless.yml's stack. */
const OWN_STACKS = [
  'infra/examples/alerts-to-chat.yml',
  'infra/examples/alerts-to-sns.yml',
  'infra/member-role.yml',
  'infra/organizations-events.yml',
];

describe('YAML', () => {
  it.each(TEMPLATES)('%s is valid, and has only CloudFormation’s tags', (path) => {
    expect(() => parseTemplate(path, read(path))).not.toThrow();
  });

  it.each([
    ['an unquoted colon', 'Description: it takes {"text": …}\nA: a long text: with a colon\n'],
    ['a duplicate key', 'A: 1\nA: 2\n'],
    ['an unknown tag', 'A: !GetAt Queue.Arn\n'],
    ['an unterminated list', 'A: [1, 2\n'],
    ['an alias without its anchor', 'A: *actions\n'],
    ['a tab as indentation', 'A:\n\tB: 1\n'],
  ])('%s is an error that names the file', (_, text) => {
    expect(() => parseTemplate('a.yml', text)).toThrow(/^a\.yml is not valid YAML: /);
  });

  it('expands short forms', () => {
    const text = 'A: !Sub "${B}"\nC: !GetAtt D.E.F\nG: !If [H, !Ref I, !Not [!Condition J]]\n';
    expect(parseTemplate('a.yml', text)).toEqual({
      A: { 'Fn::Sub': '${B}' },
      C: { 'Fn::GetAtt': ['D', 'E.F'] },
      G: { 'Fn::If': ['H', { Ref: 'I' }, { 'Fn::Not': [{ Condition: 'J' }] }] },
    });
  });
});

describe('the structure', () => {
  it.each(OWN_STACKS)('of %s is valid for CloudFormation', (path) => {
    expect(structureFaults(parseTemplate(path, read(path)))).toEqual([]);
  });

  it('of the whole deployment is valid for CloudFormation', () => {
    const stack = assembleStack();
    expect(Object.keys(Object(stack['Resources'])).length).toBeGreaterThan(30);
    expect(structureFaults(stack)).toEqual([]);
  });

  const queue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'work' } };
  const withResources = (more: object, rest: object = {}) => ({ Resources: { Work: queue, ...more }, ...rest });

  it.each([
    ['an unknown section', { ...withResources({}), Resource: {} }, /unknown key Resource$/],
    [
      'a type that there is not',
      withResources({ A: { Type: 'AWS::SQS::Que' } }),
      /AWS::SQS::Que, which AWS does not have/,
    ],
    [
      'a key beside Properties',
      withResources({ A: { ...queue, QueueName: 'a' } }),
      /Resources\.A has an unknown key QueueName/,
    ],
    [
      'a property that there is not',
      withResources({ A: { ...queue, Properties: { Nme: 'a' } } }),
      /Properties\.Nme is not a property/,
    ],
    [
      'a property that is missing',
      withResources({ A: { Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [] } } }),
      /PolicyDocument is required/,
    ],
    [
      'a list for a text',
      withResources({ A: { ...queue, Properties: { QueueName: ['a'] } } }),
      /QueueName is \["a"\], expected a string/,
    ],
    [
      'a text for a number',
      withResources({ A: { ...queue, Properties: { DelaySeconds: 'soon' } } }),
      /DelaySeconds is "soon"/,
    ],
    [
      'a value that is not offered',
      withResources({ A: { Type: 'AWS::Lambda::Url', Properties: { AuthType: 'IAM', TargetFunctionArn: 'a' } } }),
      /expected one of AWS_IAM, NONE/,
    ],
    [
      'an inner property that there is not',
      withResources({
        A: { Type: 'AWS::S3::Bucket', Properties: { VersioningConfiguration: { Status: 'Enabled', Stat: 'Enabled' } } },
      }),
      /VersioningConfiguration\.Stat is not a property/,
    ],
    [
      'a reference to nothing',
      withResources({ A: { ...queue, Properties: { QueueName: { Ref: 'Name' } } } }),
      /names Name, which is not a parameter or resource/,
    ],
    [
      'a text with a reference to nothing',
      withResources({ A: { ...queue, Properties: { QueueName: { 'Fn::Sub': '${Nme}' } } } }),
      /names Nme/,
    ],
    [
      'an attribute that there is not',
      withResources({ A: { ...queue, Properties: { QueueName: { 'Fn::GetAtt': ['Work', 'Url'] } } } }),
      /has no attribute Url/,
    ],
    [
      'an attribute of nothing',
      withResources({ A: { ...queue, Properties: { QueueName: { 'Fn::GetAtt': ['B', 'Arn'] } } } }),
      /names B/,
    ],
    ['a dependency on a missing resource', withResources({ A: { ...queue, DependsOn: ['B'] } }), /DependsOn names B/],
    [
      'a condition that there is not',
      withResources({ A: { ...queue, Condition: 'IsBig' } }),
      /names IsBig, which is not a condition/,
    ],
    [
      'a condition that nobody uses',
      withResources({}, { Conditions: { IsBig: { 'Fn::Equals': ['a', 'b'] } } }),
      /IsBig is declared and used nowhere/,
    ],
    [
      'a function with too few elements',
      withResources({ A: { ...queue, Properties: { QueueName: { 'Fn::Join': ['a'] } } } }),
      /expected a list of 2 elements/,
    ],
    [
      'a function that there is not',
      withResources({ A: { ...queue, Properties: { QueueName: { 'Fn::Concat': ['a'] } } } }),
      /not a function/,
    ],
    [
      'an output without its value',
      withResources({}, { Outputs: { A: { Description: 'a' } } }),
      /Outputs\.A has no Value/,
    ],
    [
      'an output of what is there under a condition',
      withResources(
        { A: { ...queue, Condition: 'IsBig' } },
        { Conditions: { IsBig: { 'Fn::Equals': ['a', 'b'] } }, Outputs: { B: { Value: { Ref: 'A' } } } },
      ),
      /names A, which is there only under IsBig/,
    ],
    [
      'a default that its pattern does not allow',
      withResources(
        { A: { ...queue, Properties: { QueueName: { Ref: 'P' } } } },
        { Parameters: { P: { Type: 'String', Default: '', AllowedPattern: 'a+' } } },
      ),
      /Default does not match/,
    ],
    ['a resource that is a list', withResources({ A: [] }), /Resources\.A: expected an object/],
  ])('%s is a fault', (_, template, fault) => {
    expect(structureFaults(template)).toEqual([expect.stringMatching(fault)]);
  });

  it('accepts a conditional resource where its condition is true', () => {
    const template = withResources(
      {
        A: { ...queue, Condition: 'IsBig' },
        B: { ...queue, Properties: { QueueName: { 'Fn::If': ['IsBig', { Ref: 'A' }, 'b'] } } },
      },
      {
        Conditions: { IsBig: { 'Fn::Equals': ['a', 'b'] } },
        Outputs: { B: { Condition: 'IsBig', Value: { Ref: 'A' } } },
      },
    );
    expect(structureFaults(template)).toEqual([]);
  });
});
