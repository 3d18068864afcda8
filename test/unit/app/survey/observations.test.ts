import { describe, expect, it } from 'vitest';
import { fromListings, type Listings } from '../../../../shared/app/survey/observations.ts';
import type { Listing } from '../../../../shared/app/survey/paged-listing.ts';
import { byKind } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { CALLER, MANAGEMENT, MEMBER, MEMBER_ID, seen } from '../../../support/domain-kit.ts';
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
