/** The paths of the API; no other file of the dashboard names them. */

const query = (values: Readonly<Record<string, string | null | undefined>>): string => {
  const given = Object.entries(values).flatMap(([name, value]): [string, string][] =>
    value === null || value === undefined || value === '' ? [] : [[name, value]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
};

/** `since` and `until` are ISO 8601. */
export type AuditFilter = Readonly<
  Partial<Record<'account' | 'enrollment' | 'type' | 'run' | 'actor' | 'changedBy' | 'since' | 'until', string | null>>
>;

/** Accounts in one answer of the list. */
export const ACCOUNTS_PAGE = 200;

export type ChangeFilter = Readonly<Partial<Record<'outcome' | 'enrollment' | 'planned' | 'text', string | null>>>;

export const READ = {
  whoami: '/api/whoami',
  status: '/api/status',
  limiter: '/api/limiter',
  policy: '/api/policy',
  deadLetters: '/api/dead-letters',
  overview: '/api/overview',
  verification: '/api/audit/verification',
  markers: (since: string) => `/api/markers${query({ since })}`,
  events: '/api/events',
  /** A page of the list, from the account at `offset`. */
  accounts: (filter: Readonly<Record<string, string>>, offset: number) =>
    `/api/accounts${query({ ...filter, limit: String(ACCOUNTS_PAGE), offset: offset > 0 ? String(offset) : null })}`,
  /** The values that accounts can be filtered by. */
  accountFacets: '/api/accounts?limit=1&facets=true',
  /** The ids of all accounts of a list. */
  accountIds: (filter: Readonly<Record<string, string>>) => `/api/accounts${query({ ...filter, limit: '10000' })}`,
  accountsExport: (filter: Readonly<Record<string, string>>) => `/api/accounts/export${query(filter)}`,
  /** Contested accounts that this actor has reverted. */
  contestedBy: (actor: string) => `/api/accounts${query({ reason: 'contested', changedBy: actor, limit: '100' })}`,
  searchAccounts: (text: string) => `/api/accounts${query({ text, limit: '8' })}`,
  account: (id: string) => `/api/accounts/${encodeURIComponent(id)}`,
  audit: (filter: AuditFilter, cursor: string | null = null) =>
    `/api/audit${query({ ...filter, limit: '100', cursor })}`,
  auditSummary: (filter: AuditFilter) => `/api/audit/summary${query(filter)}`,
  checkpoint: '/api/audit/checkpoint',
  proof: (entryId: string) => `/api/audit/proof/${encodeURIComponent(entryId)}`,
  auditEntry: (id: string) => `/api/audit/entries/${encodeURIComponent(id)}`,
  export: (filter: AuditFilter, format: string) => `/api/audit/export${query({ ...filter, format })}`,
  asOf: (at: string, status: string | null, first: number) =>
    `/api/audit/as-of${query({ at, status, limit: '200', cursor: first > 0 ? String(first) : null })}`,
  report: (since: string, until: string, interval: string) => `/api/audit/report${query({ since, until, interval })}`,
  runs: (cursor: string | null = null) => `/api/runs${query({ limit: '50', cursor })}`,
  run: (id: string) => `/api/runs/${encodeURIComponent(id)}`,
  runChanges: (id: string, filter: ChangeFilter, cursor: string | null = null) =>
    `/api/runs/${encodeURIComponent(id)}/changes${query({ ...filter, cursor })}`,
  policyVersions: '/api/policy/versions',
  policyChange: (entryId: string) => `/api/policy/versions/${encodeURIComponent(entryId)}`,
} as const;

export const OPERATE = {
  verify: '/api/audit/verify',
  scan: '/api/scan',
  suspend: '/api/suspend',
  resume: '/api/resume',
  check: '/api/check',
  halt: '/api/halt',
  unhalt: '/api/unhalt',
  approve: '/api/approve',
  redrive: '/api/dead-letters/redrive',
} as const;
