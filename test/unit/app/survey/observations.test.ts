import { describe, expect, it } from 'vitest';
import {
  fromListings,
  type Listings,
  NOT_LISTED,
  preferNewerRecords,
} from '../../../../shared/app/survey/observations.ts';
import type { Listing } from '../../../../shared/app/survey/paged-listing.ts';
import type { Condition } from '../../../../shared/domain/enrollment/condition.ts';
import { byKind } from '../../../../shared/domain/enrollment/kinds/index.ts';
import {
  CALLER,
  condition,
  HOUR,
  iso,
  MANAGEMENT,
  MEMBER,
  MEMBER_ID,
  MINUTE,
  NOW,
  recordOf,
  seen,
} from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';

const ACTIVE = seen('Active');
const complete = (...ids: readonly string[]): Listing => ({
  seen: new Map(ids.map((id) => [id, ACTIVE])),
  brokenBy: null,
});
const broken = (...ids: readonly string[]): Listing => ({
  ...complete(...ids),
  brokenBy: cloudError('Throttled', 'ThrottlingException'),
});

/** The observation of Cost Optimization Hub. */
function observed(leading: Listing, hub: Listing, account = MEMBER) {
  const listings: Listings = { ...byKind(() => null), computeOptimizer: leading, costOptimizationHub: hub };
  return fromListings(CALLER, account, listings).costOptimizationHub;
}

describe('an account that the listing of Cost Optimization Hub omits', () => {
  it('was never enrolled, if the leading listing names it as a member', () => {
    expect(observed(complete(MEMBER_ID), complete())).toMatchObject({ kind: 'observed', status: 'Inactive' });
    const leftOut = { ...complete(), leftOut: new Set([MEMBER_ID]) };
    expect(observed(leftOut, complete())).toMatchObject({ kind: 'observed', status: 'Inactive' });
  });

  it('may have left the organization if the leading listing lacks it too, so it is read individually', () => {
    expect(observed(complete(), complete())).toMatchObject({ kind: 'unknown', reason: 'notListed' });
  });

  it('is Unknown if either listing ended early', () => {
    for (const [leading, hub] of [
      [broken(), complete()],
      [complete(MEMBER_ID), broken()],
    ] as const)
      expect(observed(leading, hub)).toMatchObject({ kind: 'unknown', reason: 'listingIncomplete' });
    expect(observed(broken(MEMBER_ID), complete())).toMatchObject({ kind: 'observed', status: 'Inactive' });
  });

  it('is read individually if it is the management account, which the leading listing never names', () => {
    for (const leading of [complete(), broken()])
      expect(observed(leading, complete(), MANAGEMENT)).toMatchObject({ kind: 'unknown', reason: 'notListed' });
  });
});

/** A scan that began an hour ago and was continued by another process. */
const BEGUN_AT = NOW - HOUR;

/** The result for what a scan listed and what a worker recorded 10 minutes after the scan began. */
function preferred(listedAt: number | null, recorded: Partial<Condition>) {
  const automation = seen('Active', { lastUpdated: listedAt });
  const changedAt = iso(BEGUN_AT + 10 * MINUTE);
  const record = recordOf({ automation: condition({ status: 'Inactive', changedAt, ...recorded }) });
  return preferNewerRecords({ ...byKind(() => NOT_LISTED), automation }, record, BEGUN_AT).automation;
}

describe('a state that a worker has recorded since the scan began', () => {
  it('replaces a listed one with an older timestamp of AWS', () => {
    const recorded = { lastUpdated: iso(BEGUN_AT + 5 * MINUTE) };
    expect(preferred(BEGUN_AT - MINUTE, recorded)).toMatchObject({ status: 'Inactive' });
    expect(preferred(null, recorded)).toMatchObject({ status: 'Inactive' });
    expect(preferred(BEGUN_AT + 6 * MINUTE, recorded)).toMatchObject({ status: 'Active' });
  });

  it('without a timestamp, because its prerequisite is not Active, replaces a listed one from before the scan', () => {
    const recorded = { lastUpdated: null };
    expect(preferred(BEGUN_AT - MINUTE, recorded)).toMatchObject({ status: 'Inactive', lastUpdated: null });
    expect(preferred(BEGUN_AT + MINUTE, recorded)).toMatchObject({ status: 'Active' });
    const acted = { ...recorded, verdict: 'Converging', reason: 'acted' } as const;
    expect(preferred(BEGUN_AT - MINUTE, acted)).toMatchObject({ status: 'Active' });
  });
});

it('A state that was recorded before the scan began replaces nothing', () => {
  const before = { lastUpdated: null, changedAt: iso(BEGUN_AT - 1) };
  expect(preferred(BEGUN_AT - MINUTE, before)).toMatchObject({ status: 'Active' });
});
