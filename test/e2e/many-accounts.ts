import { STATUSES } from '../../shared/domain/enrollment/status.ts';

const NONE = Object.fromEntries(STATUSES.map((status) => [status, 0]));

/** A page of a list, as the API returns it. @param accounts all that match */
export function accountsPage(accounts: readonly unknown[], all: number, offset = 0, limit = 200) {
  const counts = { ...NONE, Compliant: accounts.length };
  return {
    accounts: accounts.slice(offset, offset + limit),
    next: null,
    total: accounts.length,
    all,
    counts,
    facets: null,
  };
}

/** This many accounts, as the API returns them. */
export function manyAccounts(length: number) {
  const rowAt = (n: number): string => `account-${String(n).padStart(5, '0')}`;
  const cell = {
    ...{
      verdict: 'Compliant',
      complianceStatus: 'Compliant',
      reason: null,
      message: null,
      status: 'Active',
      ruleMode: null,
      desired: 'Active',
    },
    ...{ desiredRuleMode: null, rule: 'defaults', since: '2026-01-01T00:00:00.000Z', notBefore: null, attempts: 0 },
    ...{ driftSince: null, changedBy: null, reversions: 0 },
  };
  const cells = Array.from({ length }, (_, n) => ({
    ...{ accountId: String(100_000_000_000 + n), name: rowAt(n), ou: '/Workloads', state: 'ACTIVE' },
    ...{ accountStatus: 'Compliant', leading: 'computeOptimizer', since: cell.since },
    ...{ management: false, computeOptimizer: cell, automation: null, costOptimizationHub: null },
  }));
  return { cells, rowAt };
}
