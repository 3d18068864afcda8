import { describe, expect, it } from 'vitest';
import { automationModel } from './automation-models.ts';
import { checkService, type KnownOperations } from './check.ts';
import { compareModels } from './compare.ts';
import { readBotocore } from './read-botocore.ts';
import { readSmithy } from './read-smithy.ts';
import { reportText } from './report.ts';
import type { UsedService } from './used.ts';

const before = readSmithy(automationModel('smithy', 'before'), 'the sandbox before');
const after = readSmithy(automationModel('smithy', 'after'), 'the sandbox after');
const publishedBefore = readBotocore(automationModel('botocore', 'before'), 'botocore 1.43.11');
const publishedAfter = readBotocore(automationModel('botocore', 'after'), 'botocore 1.44.8');

const SERVICE = 'aco-automation';
const known: KnownOperations = { [SERVICE]: [...publishedBefore.operations.keys()] };

function used(model: typeof before): UsedService {
  const baselines = [{ model, from: 'sandbox', operations: [...model.operations.keys()] } as const];
  return { name: SERVICE, sdkId: model.sdkId, client: '@aws-sdk/client-none', folders: [], baselines };
}

function check(model: typeof before, published: typeof publishedBefore, recorded: KnownOperations = known) {
  const publisher = async () => published;
  return checkService(used(model), { sandbox: publisher, client: publisher }, recorded);
}

describe('the models before and after 2026-11-20', () => {
  it('has no difference between the forms of the same model', async () => {
    expect(reportText([await check(before, publishedBefore)])).toBe(
      'No difference\n  aco-automation: botocore 1.43.11\n\n0 differences in 1 service\n',
    );
    const all = { [SERVICE]: [...publishedAfter.operations.keys()] };
    expect((await check(after, publishedAfter, all)).differences).toEqual([]);
  });

  it('reports what AWS added', async () => {
    expect(reportText([await check(before, publishedAfter)])).toMatchInlineSnapshot(`
      "aco-automation: botocore 1.44.8
        GetEnrollmentConfiguration
          member added: output.organizationEnrollmentConfigurationStatus (string, optional, Active | Inactive)
        ListAccounts
          member added: output.accounts[].organizationRuleModeSource (structure, optional, sourceType | sourceTargetId)
        operation added: DeleteOrganizationEnrollmentConfiguration
        operation added: ListOrganizationEnrollmentConfigurations
        operation added: ListOrganizationalUnits
        operation added: PutOrganizationEnrollmentConfiguration

      6 differences in 1 service
      "
    `);
  });

  it('reports the same backwards as removed, and operations that are gone', async () => {
    expect(reportText([await check(after, publishedBefore)])).toMatchInlineSnapshot(`
      "aco-automation: botocore 1.43.11
        operation removed: DeleteOrganizationEnrollmentConfiguration
        operation removed: ListOrganizationEnrollmentConfigurations
        operation removed: ListOrganizationalUnits
        operation removed: PutOrganizationEnrollmentConfiguration
        GetEnrollmentConfiguration
          member removed: output.organizationEnrollmentConfigurationStatus (string, optional, Active | Inactive)
        ListAccounts
          member removed: output.accounts[].organizationRuleModeSource (structure, optional, sourceType | sourceTargetId)

      6 differences in 1 service
      "
    `);
  });
});

/** A model with one operation, as botocore writes it, with `input` as the input's `subject` member. */
function model(subject: object, { required = false, errors = ['Throttling'] } = {}) {
  return readBotocore(
    {
      metadata: { serviceId: 'Example' },
      operations: { Do: { input: { shape: 'In' }, errors: errors.map((shape) => ({ shape })) } },
      shapes: {
        In: { type: 'structure', required: required ? ['subject'] : [], members: { subject: { shape: 'Subject' } } },
        Subject: subject,
        Item: { type: 'string' },
      },
    },
    'an example',
  );
}

describe('comparing one member', () => {
  const text = { type: 'string', min: 1, max: 64, pattern: '[a-z]+' };
  const choice = { type: 'string', enum: ['Active', 'Inactive'] };

  it.each([
    ['a length', text, { ...text, max: 36 }, 'length changed', '1..64', '1..36'],
    ['a pattern', text, { ...text, pattern: '[a-z-]+' }, 'pattern changed', '[a-z]+', '[a-z-]+'],
    ['a range', { type: 'integer', max: 100 }, { type: 'integer', max: 1000 }, 'range changed', '..100', '..1000'],
    ['a new range', { type: 'integer' }, { type: 'integer', min: 1 }, 'range changed', null, '1..'],
    ['a new value', choice, { ...choice, enum: ['Active', 'Inactive', 'Paused'] }, 'values added', null, 'Paused'],
    ['a lost value', choice, { ...choice, enum: ['Active'] }, 'values removed', 'Inactive', null],
    ['an enum that was a string', { type: 'string' }, choice, 'values changed', 'any', 'Active, Inactive'],
    ['a type', { type: 'string' }, { type: 'integer' }, 'type changed', 'string', 'integer'],
  ])('reports %s', (_name, was, is, change, from, to) => {
    expect(compareModels(model(was), model(is), ['Do'])).toEqual([
      { operation: 'Do', place: 'input.subject', change, before: from, after: to },
    ]);
  });

  it('reports a member that became required, or optional', () => {
    const [optional, required] = [model(text), model(text, { required: true })];
    expect(compareModels(optional, required, ['Do']).map(({ change }) => change)).toEqual(['now required']);
    expect(compareModels(required, optional, ['Do']).map(({ change }) => change)).toEqual(['now optional']);
  });

  it('reports errors by name', () => {
    const changes = compareModels(model(text), model(text, { errors: ['Conflict'] }), ['Do']);
    expect(changes.map(({ change, place }) => `${change}: ${place}`)).toEqual([
      'error added: Conflict',
      'error removed: Throttling',
    ]);
  });

  it('reports a lost list without its items', () => {
    const list = { type: 'list', member: { shape: 'Item' } };
    const lost = {
      ...model(text),
      operations: new Map([['Do', () => ({ members: new Map(), errors: new Set(['Throttling']) })]]),
    };
    expect(compareModels(model(list), lost, ['Do']).map(({ place }) => place)).toEqual(['input.subject']);
  });

  it('does not compare constraints that one source cannot state', () => {
    const silent = { ...model({ type: 'string' }), hasConstraints: false };
    expect(compareModels(model(text), silent, ['Do'])).toEqual([]);
  });

  it('takes different spellings of one constraint as equal', () => {
    const spelled = { ...text, type: 'string', min: 0, pattern: '^a\\/b$' };
    expect(compareModels(model(spelled), model({ type: 'string', max: 64, pattern: 'a/b' }), ['Do'])).toEqual([]);
  });
});
