import { describe, expect, it } from 'vitest';
import { EVENT_NAMES, parseCloudTrailEvent } from '../../shared/domain/cloudtrail-event.ts';
import { KINDS } from '../../shared/domain/enrollment/kinds/index.ts';
import { wordsOf } from '../../shared/domain/ledger/bus-event.ts';
import { ENTRY_TYPES } from '../../shared/domain/ledger/entry-types.ts';
import {
  batchOf,
  COMPUTE_OPTIMIZER,
  optedOut,
  organizationCall,
  organizationNews,
  recorded,
} from '../support/cloud-trail-events.ts';
import { lets } from './event-pattern.ts';
import { actionsOf, readTemplate, resourceOf, statementsOf, trustOf } from './template.ts';

const A = '111122223333';
const options = { account: A, at: 0 };

const ENROLLMENTS = [
  ...COMPUTE_OPTIMIZER.map((source) => optedOut(A, 0, { source })),
  recorded('aco-automation.amazonaws.com', 'UpdateEnrollmentConfiguration', options),
  batchOf('AssociateAccounts', [A], options),
  batchOf('DisassociateAccounts', [A], options),
  ...['PutOrganizationEnrollmentConfiguration', 'DeleteOrganizationEnrollmentConfiguration'].map((name) =>
    recorded('aco-automation.amazonaws.com', name, options),
  ),
];
/** Cost Optimization Hub is called in us-east-1 only. */
const HUB = [optedOut(A, 0, { source: 'cost-optimization-hub.amazonaws.com', region: 'us-east-1' })];
const OF_ACCOUNTS = [...ENROLLMENTS, ...HUB];
const MEMBERSHIP = [
  organizationNews('AccountJoinedOrganization', { accountId: A }, options),
  organizationNews('AccountDepartedOrganization', { accountId: A }, options),
  organizationNews('CreateAccountResult', { createAccountStatus: { accountId: A } }, options),
  organizationNews('CloseAccountResult', { closeAccountStatus: { accountId: A } }, options),
  ...['MoveAccount', 'CloseAccount', 'RemoveAccountFromOrganization'].map((name) =>
    organizationCall(name, { accountId: A }, options),
  ),
  ...['TagResource', 'UntagResource'].map((name) => organizationCall(name, { resourceId: A }, options)),
  organizationCall('UpdateOrganizationalUnit', { organizationalUnitId: 'ou-abcd-12345678' }, options),
];
const OTHERS = [
  recorded('s3.amazonaws.com', 'PutObject', options),
  recorded('computeoptimizer.amazonaws.com', 'GetEnrollmentStatus', options),
  organizationCall('ListAccounts', {}, options),
  { ...optedOut(A, 0), 'detail-type': 'AWS Console Sign In via CloudTrail' },
  { ...optedOut(A, 0), source: 'somebody' },
];

const patternOf = (path: string, name: string) => resourceOf(path, name).Properties['EventPattern'];

function verdicts(pattern: unknown, events: readonly object[]): readonly boolean[] {
  return events.map((event) => lets(pattern, event));
}

const allow = (count: number) => Array.from({ length: count }, () => true);
const refuse = (count: number) => Array.from({ length: count }, () => false);

describe('the rules in front of the reactor', () => {
  for (const name of ['CloudTrailRule', 'ForwardedRule']) {
    it(`${name} matches exactly the events that the reactor handles`, () => {
      const pattern = patternOf('infra/events.yml', name);
      const wanted = [...OF_ACCOUNTS, ...MEMBERSHIP];
      expect(verdicts(pattern, wanted)).toEqual(allow(wanted.length));
      expect(verdicts(pattern, OTHERS)).toEqual(refuse(OTHERS.length));
      expect(pattern).toMatchObject({ detail: { eventSource: expect.arrayContaining(Object.keys(EVENT_NAMES)) } });
      const detail = Object.entries(EVENT_NAMES).flatMap(([, names]) => names);
      expect(new Set(namesOf(pattern))).toEqual(new Set(detail));
    });
  }

  it('the reactor understands the sample events', () => {
    for (const event of [...OF_ACCOUNTS, ...MEMBERSHIP]) {
      expect(['enrollment', 'organization']).toContain(parseCloudTrailEvent(event, null).kind);
    }
  });

  it('every kind has a sample event, from every source that it may have', () => {
    const sampled = new Set(OF_ACCOUNTS.map(({ detail }) => detail.eventSource));
    expect(sampled).toEqual(new Set(KINDS.flatMap(({ eventSources }) => eventSources)));
  });

  it("the management account's forwarding rule matches exactly the events that the reactor handles", () => {
    const pattern = patternOf('infra/organizations-events.yml', 'ForwardRule');
    const wanted = [...OF_ACCOUNTS, ...MEMBERSHIP];
    expect(verdicts(pattern, wanted)).toEqual(allow(wanted.length));
    expect(verdicts(pattern, OTHERS)).toEqual(refuse(OTHERS.length));
    expect(new Set(namesOf(pattern))).toEqual(new Set(Object.values(EVENT_NAMES).flat()));
    // AWS puts these only on the bus of us-east-1, where the template is always deployed.
    expect([...MEMBERSHIP, ...HUB].every(({ region }) => region === 'us-east-1')).toBe(true);
  });

  it('the bus accepts every event that the management account forwards, also without the parameter organizationId', () => {
    const { Condition, Properties } = resourceOf('infra/events.yml', 'EventBusPolicy');
    expect(Condition).toBe('HasManagementAccount');
    const accepted = listAt(Properties, 'Statement', 'Condition', 'StringEquals', 'events:source');
    const forwarded = listAt(patternOf('infra/organizations-events.yml', 'ForwardRule'), 'source');
    expect(new Set(accepted)).toEqual(new Set(forwarded));
    expect(forwarded).toEqual(expect.arrayContaining([...OF_ACCOUNTS, ...MEMBERSHIP].map(({ source }) => source)));
  });

  it('the forwarding rule of member accounts matches their enrollment calls, in either spelling, and only those', () => {
    const pattern = patternOf('infra/member-role.yml', 'ForwardRule');
    expect(verdicts(pattern, OF_ACCOUNTS)).toEqual(allow(OF_ACCOUNTS.length));
    expect(verdicts(pattern, [...MEMBERSHIP, ...OTHERS])).toEqual(refuse(MEMBERSHIP.length + OTHERS.length));
  });

  it('only members of this organization may put events on the bus, and only their enrollment events', () => {
    const { Condition, Properties } = resourceOf('infra/events.yml', 'MembersBusPolicy');
    expect(Condition).toBe('HasOrganization');
    expect(Properties['Statement']).toMatchObject({
      Action: 'events:PutEvents',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in the template
      Condition: { StringEquals: { 'aws:PrincipalOrgID': '${param:organizationId}' } },
    });
    const sources = new Set(OF_ACCOUNTS.map(({ source }) => source));
    expect(JSON.stringify(Properties['Statement'])).toContain('aws.compute-optimizer');
    for (const source of sources) expect(JSON.stringify(Properties['Statement'])).toContain(`"${source}"`);
  });

  it('the forwarding roles may only forward', () => {
    for (const path of ['infra/member-role.yml', 'infra/organizations-events.yml']) {
      const role = resourceOf(path, 'ForwardRole');
      expect(actionsOf(statementsOf(role))).toEqual(['events:PutEvents']);
      expect(trustOf(role)).toMatchObject([{ Principal: { Service: 'events.amazonaws.com' } }]);
    }
  });
});

describe('the examples', () => {
  const rules = ['infra/examples/alerts-to-sns.yml', 'infra/examples/alerts-to-chat.yml'].flatMap((path) =>
    Object.entries(readTemplate(path).Resources)
      .filter(([, { Type }]) => Type === 'AWS::Events::Rule')
      .map(([name, { Properties }]) => [`${path} ${name}`, Properties['EventPattern']] as const),
  );

  it('match existing events', () => {
    expect(rules).toHaveLength(3);
    const known = ENTRY_TYPES.map(wordsOf);
    for (const [name, pattern] of rules) {
      const matched = known.filter((type) =>
        lets(pattern, { source: 'rollcall', 'detail-type': type, detail: { reason: 'deadLettered' } }),
      );
      expect([name, matched.length > 0]).toEqual([name, true]);
      for (const type of typesOf(pattern)) expect(known).toContain(type);
      expect(lets(pattern, { source: 'somebody', 'detail-type': typesOf(pattern)[0] })).toBe(false);
    }
  });

  it('work in every partition, and let only EventBridge publish', () => {
    const { Properties } = resourceOf('infra/examples/alerts-to-sns.yml', 'TopicPolicy');
    expect(Properties).toMatchObject({
      PolicyDocument: { Statement: [{ Principal: { Service: 'events.amazonaws.com' }, Action: 'sns:Publish' }] },
    });
    const role = resourceOf('infra/examples/alerts-to-chat.yml', 'Role');
    expect(actionsOf(statementsOf(role))).toEqual(['events:InvokeApiDestination']);
  });
});

function namesOf(pattern: unknown): readonly string[] {
  return listAt(pattern, 'detail', 'eventName');
}

function typesOf(pattern: unknown): readonly string[] {
  return listAt(pattern, 'detail-type');
}

function listAt(value: unknown, ...path: readonly string[]): readonly string[] {
  let found: unknown = value;
  for (const name of path) found = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined;
  return Array.isArray(found) ? found.map(String) : [];
}
