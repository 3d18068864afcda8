import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_NAMES, parseCloudTrailEvent } from '../../../shared/domain/cloudtrail-event.ts';
import {
  batchOf,
  COMPUTE_OPTIMIZER,
  JANE,
  optedOut,
  organizationCall,
  organizationNews,
  recorded,
} from '../../support/cloud-trail-events.ts';

const A = '111122223333';
const B = '444455556666';
const AT = Date.UTC(2026, 10, 2, 9);
const OURS = 'o-exampleorg1';
const by = (account = A) => ({ account, at: AT });
const BY_JANE = { actor: JANE(A), requestId: 'b8c0e2b1-9d5e-4b0f-8c39-1f1f0f3a0001', at: '2026-11-02T09:00:00.000Z' };

describe('an event about enrollments', () => {
  it('is about the calling account, with either spelling of its source', () => {
    for (const source of COMPUTE_OPTIMIZER) {
      expect(parseCloudTrailEvent(optedOut(A, AT, { source }), OURS)).toEqual({
        ...{ kind: 'enrollment', enrollment: 'computeOptimizer', accountIds: [A], wide: false, from: A },
        by: { ...BY_JANE, operation: 'UpdateEnrollmentStatus' },
      });
    }
    const automation = recorded('aco-automation.amazonaws.com', 'UpdateEnrollmentConfiguration', by(B));
    expect(parseCloudTrailEvent(automation, OURS)).toMatchObject({
      enrollment: 'automation',
      accountIds: [B],
      from: B,
    });
  });

  it.each(['PutOrganizationEnrollmentConfiguration', 'DeleteOrganizationEnrollmentConfiguration'])(
    'is about the accounts below the target of %s',
    (operation) => {
      const about = (requestParameters: unknown) =>
        parseCloudTrailEvent(
          recorded('aco-automation.amazonaws.com', operation, { ...by(), detail: { requestParameters } }),
          OURS,
        );
      const heard = { kind: 'enrollment', enrollment: 'automation', from: A, by: { ...BY_JANE, operation } };
      expect(about({ target: { accountId: B } })).toEqual({ ...heard, accountIds: [B], wide: false });
      expect(about({ target: { organizationalUnitId: 'ou-root-12345678' } })).toEqual({
        ...{ ...heard, accountIds: [], wide: true },
      });
      expect(about(null)).toMatchObject({ accountIds: [], wide: true, unclear: expect.stringContaining(operation) });
    },
  );

  it('is about every member of a batch, each once', () => {
    const members = Array.from({ length: 50 }, (_, n) => String(200_000_000_000 + n));
    const heard = parseCloudTrailEvent(batchOf('AssociateAccounts', [...members, ...members, 'x'], by()), OURS);
    expect(heard).toMatchObject({ kind: 'enrollment', enrollment: 'automation', accountIds: members, wide: false });
  });

  it('may be about the whole organization', () => {
    const requestParameters = { status: 'Active', includeMemberAccounts: true };
    expect(parseCloudTrailEvent(optedOut(A, AT, { detail: { requestParameters } }), OURS)).toMatchObject({
      wide: true,
      accountIds: [A],
    });
    const many = Array.from({ length: 10_000 }, (_, n) => String(200_000_000_000 + n));
    const heard = parseCloudTrailEvent(batchOf('DisassociateAccounts', many, by()), OURS);
    expect(heard.kind === 'enrollment' && [heard.wide, heard.accountIds.length]).toEqual([true, 200]);
  });

  it('names the caller by the best name available', () => {
    const actorOf = (userIdentity: unknown) => {
      const heard = parseCloudTrailEvent(optedOut(A, AT, { detail: { userIdentity } }), OURS);
      return heard.kind === 'enrollment' ? heard.by.actor : heard;
    };
    expect(actorOf({ type: 'Root', arn: `arn:aws-cn:iam::${A}:root` })).toBe(`arn:aws-cn:iam::${A}:root`);
    expect(actorOf({ type: 'AWSService', invokedBy: 'compute-optimizer.amazonaws.com' })).toBe(
      'compute-optimizer.amazonaws.com',
    );
    expect(actorOf({ type: 'Unknown', principalId: 'AIDA1' })).toBe('AIDA1');
    expect(actorOf(null)).toBe(`someone in account ${A}`);
    expect(actorOf({ arn: 7 })).toBe(`someone in account ${A}`);
    expect(actorOf({ arn: `x\u001b[31m\n${'y'.repeat(10_000)}` })).toMatch(/^x\?\[31m\?y{505}$/);
  });
});

describe('an event about the organization', () => {
  it('names its accounts in one of several places', () => {
    const of = (event: unknown) => {
      const heard = parseCloudTrailEvent(event, OURS);
      return heard.kind === 'organization' ? [heard.event, heard.accountIds, heard.wide] : heard;
    };
    expect(
      of(organizationCall('MoveAccount', { accountId: B, sourceParentId: 'r-1', destinationParentId: 'ou-1' }, by())),
    ).toEqual(['MoveAccount', [B], false]);
    expect(
      of(organizationCall('TagResource', { resourceId: B, tags: [{ key: 'accountId', value: A }] }, by())),
    ).toEqual(['TagResource', [B], false]);
    for (const name of ['CloseAccount', 'RemoveAccountFromOrganization']) {
      expect(of(organizationCall(name, { accountId: B }, by()))).toEqual([name, [B], false]);
    }
    const created = { createAccountStatus: { id: 'car-1', state: 'SUCCEEDED', accountName: 'x', accountId: B } };
    expect(of(organizationNews('CreateAccountResult', created, by()))).toEqual(['CreateAccountResult', [B], false]);
    const closed = { closeAccountStatus: { accountId: B, state: 'SUCCEEDED', requestedTimestamp: 'Nov 2, 2026' } };
    expect(of(organizationNews('CloseAccountResult', closed, by()))).toEqual(['CloseAccountResult', [B], false]);
    const joined = { memberAccountId: B, managementAccountId: A, joinedMethod: 'INVITED', joinedTime: 'Nov 2, 2026' };
    expect(of(organizationNews('AccountJoinedOrganization', joined, by()))).toEqual([
      'AccountJoinedOrganization',
      [B],
      false,
    ]);
    const departed = { accountId: B, organizationId: OURS, departureMethod: 'LEFT' };
    expect(of(organizationNews('AccountDepartedOrganization', departed, by()))).toEqual([
      'AccountDepartedOrganization',
      [B],
      false,
    ]);
    expect(of(organizationCall('LeaveOrganization', {}, by(B)))).toEqual(['LeaveOrganization', [B], false]);
    expect(
      of(organizationCall('UpdateOrganizationalUnit', { organizationalUnitId: 'ou-1', name: 'New' }, by())),
    ).toEqual(['UpdateOrganizationalUnit', [], true]);
  });

  it('is ignored if it is about the tags of an OU, a failed creation, or a rejected call', () => {
    const tagged = organizationCall('TagResource', { resourceId: 'ou-abcd-12345678', tags: [] }, by());
    const failed = organizationNews('CreateAccountResult', { createAccountStatus: { state: 'FAILED' } }, by());
    const refused = optedOut(A, AT, { detail: { errorCode: 'AccessDeniedException', errorMessage: 'no' } });
    for (const event of [tagged, failed, refused])
      expect(parseCloudTrailEvent(event, OURS)).toMatchObject({ kind: 'ignored' });
    expect(parseCloudTrailEvent(recorded('s3.amazonaws.com', 'PutObject', by()), OURS)).toMatchObject({
      kind: 'ignored',
    });
    expect(
      parseCloudTrailEvent(recorded('computeoptimizer.amazonaws.com', 'GetEnrollmentStatus', by()), OURS),
    ).toMatchObject({
      kind: 'ignored',
    });
    expect(parseCloudTrailEvent(recorded('constructor', 'toString', by()), OURS)).toMatchObject({ kind: 'ignored' });
  });
});

describe('a relevant event with unusable content', () => {
  const omitted = { omitted: true, originalSize: 120_000, reason: 'requestParameters too large' };
  const unclear = (event: unknown) => {
    const heard = parseCloudTrailEvent(event, OURS);
    return 'unclear' in heard ? [heard.accountIds, typeof heard.unclear] : heard;
  };

  it('is about the account of its origin, and maybe about others', () => {
    for (const requestParameters of [omitted, null, undefined, 'no JSON', 7, []]) {
      expect(unclear(optedOut(A, AT, { detail: { requestParameters } }))).toEqual([[A], 'string']);
    }
    const heard = parseCloudTrailEvent(optedOut(A, AT, { detail: { requestParameters: omitted } }), OURS);
    // An unclear event does not attribute the changes of all accounts to its caller.
    expect(heard).toMatchObject({ kind: 'enrollment', wide: false, by: { actor: JANE(A) } });
  });

  it('uses the usable account ids', () => {
    const batch = (accountIds: unknown) =>
      recorded('aco-automation.amazonaws.com', 'AssociateAccounts', {
        ...by(),
        detail: { requestParameters: { accountIds } },
      });
    expect(unclear(batch([A, 444455556666]))).toEqual([[A], 'string']);
    expect(unclear(batch([111122223333]))).toEqual([[], 'string']);
    expect(unclear(batch(undefined))).toEqual([[], 'string']);
    expect(unclear(batch({ 0: A }))).toEqual([[], 'string']);
    const without = recorded('aco-automation.amazonaws.com', 'AssociateAccounts', {
      ...by(),
      detail: { requestParameters: omitted },
    });
    expect(unclear(without)).toEqual([[], 'string']);
  });

  it('requests a scan if it is about the organization', () => {
    const events = [
      organizationCall('MoveAccount', omitted, by()),
      organizationCall('MoveAccount', { accountId: 444455556666 }, by()),
      organizationCall('TagResource', { resourceId: 444455556666 }, by()),
      organizationCall('TagResource', omitted, by()),
      organizationCall('CloseAccount', {}, { ...by(), detail: { requestParameters: null } }),
      organizationNews('AccountJoinedOrganization', {}, { ...by(), detail: { serviceEventDetails: 'no JSON' } }),
      organizationNews('CreateAccountResult', {}, { ...by(), detail: { serviceEventDetails: undefined } }),
    ];
    for (const event of events) expect(unclear(event)).toEqual([[], 'string']);
  });

  it('is parsed if it is JSON text', () => {
    const event = optedOut(A, AT);
    expect(parseCloudTrailEvent({ ...event, detail: JSON.stringify(event.detail) }, OURS)).toEqual(
      parseCloudTrailEvent(event, OURS),
    );
    const moved = organizationCall('MoveAccount', { accountId: B }, by());
    const requestParameters = JSON.stringify({ accountId: B });
    expect(parseCloudTrailEvent({ ...moved, detail: { ...moved.detail, requestParameters } }, OURS)).toEqual(
      parseCloudTrailEvent(moved, OURS),
    );
    const batch = batchOf('AssociateAccounts', [A, B], by());
    const asText = { ...batch.detail, requestParameters: JSON.stringify({ accountIds: JSON.stringify([A, B]) }) };
    expect(parseCloudTrailEvent({ ...batch, detail: JSON.stringify(asText) }, OURS)).toEqual(
      parseCloudTrailEvent(batch, OURS),
    );
  });

  it('requests a scan if its detail is not JSON and its source is relevant', () => {
    for (const source of ['aws.compute-optimizer', 'aws.computeoptimizer', 'aws.aco-automation', 'aws.organizations']) {
      expect(unclear({ ...optedOut(A, AT), source, detail: '{"eventSource":' })).toEqual([[], 'string']);
    }
    expect(parseCloudTrailEvent({ ...optedOut(A, AT), source: 'aws.s3', detail: '{' }, OURS)).toMatchObject({
      kind: 'rejected',
    });
  });

  it('accepts a number as its account', () => {
    const event = optedOut(A, AT);
    expect(parseCloudTrailEvent({ ...event, account: 111122223333 }, OURS)).toEqual(parseCloudTrailEvent(event, OURS));
    const early = '012345678901';
    const numbers = { ...optedOut(early, AT), account: 12345678901 };
    const detail = { ...numbers.detail, recipientAccountId: 12345678901 };
    expect(parseCloudTrailEvent({ ...numbers, detail }, OURS)).toMatchObject({ accountIds: [early], from: early });
  });
});

describe('a forged or malformed event', () => {
  it('is rejected with a reason', () => {
    const why = (event: unknown) => {
      const heard = parseCloudTrailEvent(event, OURS);
      return heard.kind === 'rejected' ? heard.why : heard;
    };
    const other = { accountId: B, organizationId: 'o-somebodyelse' };
    expect(why(organizationNews('AccountJoinedOrganization', other, by()))).toBe(
      'it is about organization o-somebodyelse, not o-exampleorg1',
    );
    expect(why(optedOut(A, AT, { detail: { recipientAccountId: B } }))).toBe(
      `it comes from account ${A} but claims to be about another`,
    );
    expect(why(batchOf('AssociateAccounts', [], by()))).toBe('AssociateAccounts names no account');
    expect(why(organizationCall('MoveAccount', { accountId: 'nobody' }, by()))).toBe('MoveAccount names no account');
    for (const event of [
      null,
      7,
      'x',
      [],
      {},
      { detail: 'x' },
      { ...optedOut(A, AT), account: 'x' },
      { ...optedOut(A, AT), source: 'somebody' },
    ]) {
      expect(why(event)).toMatch(/^not a CloudTrail event: /);
    }
  });

  it('never throws, and its result is bounded', () => {
    const name = fc.constantFrom(...Object.values(EVENT_NAMES).flat());
    const source = fc.constantFrom(...Object.keys(EVENT_NAMES));
    const strange = fc.record({
      ...{ 'detail-type': fc.constant('AWS API Call via CloudTrail'), source: fc.constant('aws.organizations') },
      account: fc.oneof(fc.constant(A), fc.string()),
      detail: fc.record({
        ...{
          eventSource: source,
          eventName: name,
          requestParameters: fc.anything(),
          serviceEventDetails: fc.anything(),
        },
        ...{ userIdentity: fc.anything(), eventTime: fc.string(), requestID: fc.anything() },
      }),
    });
    fc.assert(
      fc.property(fc.oneof(strange, fc.anything()), (event) => {
        const heard = parseCloudTrailEvent(event, OURS);
        expect(JSON.stringify(heard).length).toBeLessThan(10_000);
      }),
      { numRuns: 500 },
    );
  });
});
