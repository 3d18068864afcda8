/** The paths of the API; no other file of the dashboard names them. */

const query = (values: Readonly<Record<string, string | null | undefined>>): string => {
  const given = Object.entries(values).flatMap(([name, value]): [string, string][] =>
    value === null || value === undefined || value === '' ? [] : [[name, value]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
};

/** `since` and `until` are ISO 8601. */
export type AuditFilter = Readonly<
  Partial<Record<'account' | 'enrollment' | 'type' | 'run' | 'actor' | 'since' | 'until', string | null>>
>;

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
  /** One answer has every account of an organization of the usual maximum size. */
  accounts: (cursor: string | null) => `/api/accounts${query({ limit: '10000', cursor })}`,
  searchAccounts: (text: string) => `/api/accounts${query({ text, limit: '8' })}`,
  account: (id: string) => `/api/accounts/${encodeURIComponent(id)}`,
  audit: (filter: AuditFilter, cursor: string | null = null) =>
    `/api/audit${query({ ...filter, limit: '100', cursor })}`,
  export: (filter: AuditFilter, format: string) => `/api/audit/export${query({ ...filter, format })}`,
  asOf: (at: string, status: string | null, first: number) =>
    `/api/audit/as-of${query({ at, status, limit: '200', cursor: first > 0 ? String(first) : null })}`,
  report: (since: string, until: string, interval: string) => `/api/audit/report${query({ since, until, interval })}`,
  runs: (cursor: string | null = null) => `/api/runs${query({ limit: '50', cursor })}`,
  run: (id: string) => `/api/runs/${encodeURIComponent(id)}`,
} as const;

export const OPERATE = {
  scan: '/api/scan',
  suspend: '/api/suspend',
  resume: '/api/resume',
  halt: '/api/halt',
  unhalt: '/api/unhalt',
  approve: '/api/approve',
  redrive: '/api/dead-letters/redrive',
} as const;
