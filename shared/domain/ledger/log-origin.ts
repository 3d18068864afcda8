/** The origin of a transparency log, which is also the name of its keys: `rollcall/<organization id>/<log id>`. */
export function logOrigin({ organizationId, logId }: LogName): string {
  return `${PREFIX}${organizationId}/${logId}`;
}

export interface LogName {
  readonly organizationId: string;
  /** Random; 8 lower-case letters and digits. A restored store continues under another one. */
  readonly logId: string;
}

const PREFIX = 'rollcall/';

/** The parts of an origin; `null`: it is not that of a log by Rollcall. */
export function parseLogOrigin(origin: string): LogName | null {
  const [, organizationId, logId] = /^rollcall\/([^/]+)\/([a-z0-9]{8})$/.exec(origin) ?? [];
  return organizationId === undefined || logId === undefined ? null : { organizationId, logId };
}
