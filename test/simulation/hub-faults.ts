import type { Fault } from './fault.ts';

const DRIVER = 'shared/adapters/aws/cloud/kinds/cost-optimization-hub.ts';

/** Faults of Cost Optimization Hub. */
export const HUB_FAULTS: readonly Fault[] = [
  {
    name: 'unfinished-hub-read',
    breaks:
      'an account that is enrolled, and counts as never enrolled because AWS has not finished its answer (invariant 8)',
    edits: [{ file: DRIVER, find: 'if (!nextToken) return NEVER_ENROLLED;', replace: 'return NEVER_ENROLLED;' }],
  },
  {
    name: 'hub-listing-cut-short',
    breaks: 'accounts that are enrolled, and count as never enrolled because the listing ended early (invariant 8)',
    edits: [
      {
        file: 'shared/app/survey/observations.ts',
        find: 'if (listing.brokenBy !== null && !account.management)',
        replace: "if (listing.brokenBy !== null && !account.management && absence !== 'inactive')",
      },
    ],
  },
  {
    name: 'departed-account-never-enrolled',
    breaks: 'a drift of an account that has left, because no listing has it (invariant 8)',
    edits: [
      {
        file: 'shared/app/survey/observations.ts',
        find: 'return isMember ? absent(enrollment) : absentFrom(leading);',
        replace: 'return isMember || leading !== null ? absent(enrollment) : NOT_LISTED;',
      },
    ],
  },
  {
    name: 'hub-change-of-another-kind',
    breaks:
      'a change of Cost Optimization Hub that calls Compute Optimizer, whose operation has the same name (invariant 2)',
    edits: [
      {
        file: DRIVER,
        find: 'return request(action, input,',
        replace: "return requestsTo('compute-optimizer')(action, input,",
      },
    ],
  },
];
