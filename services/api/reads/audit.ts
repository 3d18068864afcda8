import * as z from 'zod';
import { complianceStatus, enrollment, verdict } from '../../../shared/app/queries/answers/common.ts';
import { causedDrift } from '../../../shared/app/queries/audit/caused-drift.ts';
import { auditExport } from '../../../shared/app/queries/audit/export.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../../shared/app/queries/audit/export-formats.ts';
import { auditList } from '../../../shared/app/queries/audit/list.ts';
import { logPlace } from '../../../shared/app/queries/audit/proof.ts';
import { showEntry } from '../../../shared/app/queries/audit/show.ts';
import { auditSummary } from '../../../shared/app/queries/audit/summary.ts';
import { fullStatuses, fullSummary } from '../../../shared/app/queries/plan-document.ts';
import type { Summary } from '../../../shared/app/survey/assessment-table.ts';
import { durationArgument, instantArgument } from '../../../shared/config/arguments.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Status } from '../../../shared/domain/enrollment/status.ts';
import type { LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import { BadCursorError } from '../../../shared/ports/ledger.ts';
import type { SnapshotStore } from '../../../shared/ports/snapshot-store.ts';
import { ApiProblem } from '../problem.ts';
import { auditFilter, contentFilter, cursor, filterOf, limit, MAX_LIMIT, rangeOf, several } from '../query.ts';
import { type AnswerTypes, jsonRoute, NONE, streamRoute } from '../route.ts';
import { streamText } from '../stream.ts';

const EXPORT_TYPES: Readonly<Record<ExportFormat, string>> = {
  json: 'application/json',
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
  ocsf: 'application/x-ndjson',
};

const EXPORT_ANSWERS: AnswerTypes = {
  [EXPORT_TYPES.json]: 'AuditExport',
  [EXPORT_TYPES.csv]: null,
  [EXPORT_TYPES.ndjson]: null,
};

export const auditRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/audit',
    operationId: 'audit',
    answer: 'AuditPage',
    summary: 'Audit log entries that match the filters; default order: newest first',
    // The log has no index of callers.
    heavyWith: 'changedBy',
    ...NONE,
    query: z.strictObject({
      ...auditFilter,
      ...contentFilter,
      order: z.enum(['newestFirst', 'oldestFirst']).default('newestFirst'),
      limit: limit(MAX_LIMIT, 50),
      cursor,
    }),
    handle: async ({ system: { stores, clock }, query }) => {
      const { limit: most, order, cursor: from = null } = query;
      const filter = filterOf(query, clock.now());
      const page = await auditList(causedDrift(stores.ledger, query.changedBy), {
        filter,
        limit: most,
        order,
        cursor: from,
      });
      return { ...page, names: await namesOf(stores.snapshots, page.entries) };
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/audit/summary',
    operationId: 'auditSummary',
    answer: 'AuditSummary',
    summary: 'Matching entries over time, and the values of each filter with their number of entries',
    heavy: true,
    ...NONE,
    query: z.strictObject({ ...auditFilter, ...contentFilter }),
    handle: async ({ system: { stores, clock, knownDrifts }, query }) => {
      const now = clock.now();
      const { changedBy } = query;
      const filter = { ...filterOf(query, now), ...(changedBy !== undefined && { changedBy }) };
      return auditSummary({ ledger: stores.ledger, drifts: knownDrifts }, filter, now);
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/audit/entries/{id}',
    operationId: 'auditEntry',
    answer: 'ShownEntry',
    summary: 'One entry in full, and whether its links in the chain are intact',
    ...NONE,
    params: z.strictObject({ id: z.string().min(1).max(200).describe("An entry's id, or its position: CHAIN#SEQ") }),
    handle: async ({ system, params }) => {
      const shown = await showEntry(system.stores.ledger, params.id);
      if (shown === null) throw new ApiProblem(404, 'EntryUnknown', 'The audit log has no such entry.');
      return { ...shown, log: await logPlace(system.stores, shown.entry) };
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/audit/as-of',
    operationId: 'auditAsOf',
    answer: 'AsOf',
    summary: 'The status of every account at a time',
    heavy: true,
    ...NONE,
    query: z.strictObject({
      at: z.string().min(1).max(40).describe('A day, a time, or an age such as 24h'),
      enrollment: enrollment.optional(),
      status: several(complianceStatus).describe('Any of these'),
      verdict: several(verdict).describe('Any of these internal names of statuses'),
      limit: limit(MAX_LIMIT, 100),
      cursor: z
        .string()
        .regex(/^\d{1,9}$/, 'expected the `next` of the previous page')
        .optional(),
    }),
    handle: async ({ system: { stores, clock, asOf }, query }) => {
      const now = clock.now();
      const at = instantArgument('at', query.at, now);
      const { accounts, pruned, at: resolvedAt } = await asOf.get(stores.ledger, at);
      const counts: Summary = byKind(() => ({}));
      const statuses = byKind((): Partial<Record<Status, number>> => ({}));
      for (const each of accounts) {
        const { enrollment: id, verdict: found, status } = each;
        counts[id][found] = (counts[id][found] ?? 0) + 1;
        statuses[id][status] = (statuses[id][status] ?? 0) + 1;
      }
      const fitting = accounts.filter(
        (each) =>
          (query.enrollment ?? each.enrollment) === each.enrollment &&
          (query.status?.includes(each.status) ?? true) &&
          (query.verdict?.includes(each.verdict) ?? true),
      );
      // The state at a past time never changes, so an offset can serve as the cursor.
      const from = query.cursor === undefined ? 0 : Number(query.cursor);
      if (from > fitting.length) throw new BadCursorError('This cursor is past the last account');
      const end = from + query.limit;
      return {
        at: resolvedAt,
        future: Date.parse(resolvedAt) > now,
        summary: fullSummary(counts),
        pruned,
        total: fitting.length,
        statuses: fullStatuses(statuses),
        accounts: fitting.slice(from, end),
        next: end < fitting.length ? String(end) : null,
      };
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/audit/verification',
    operationId: 'auditVerification',
    answer: 'Verification',
    summary:
      'Result and time of the last verification of the audit log, the newest signed checkpoint and the last daily digest',
    shared: true,
    ...NONE,
    handle: async ({ system: { verification } }) => verification.last(),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/audit/verify',
    operationId: 'auditVerify',
    answer: 'Verification',
    summary: 'Verify every chain of the audit log and the last daily digest now',
    // It changes nothing but the time of the last verification, and auditors have the role `read`.
    role: 'read',
    heavy: true,
    ...NONE,
    handle: async ({ system: { verification } }) => verification.now(),
  }),
  streamRoute({
    method: 'get',
    path: '/api/audit/export',
    operationId: 'auditExport',
    types: EXPORT_ANSWERS,
    summary: 'Matching entries for other tools, oldest first, as one unpaged answer',
    heavy: true,
    ...NONE,
    query: z.strictObject({ ...auditFilter, ...contentFilter, format: z.enum(EXPORT_FORMATS).default('json') }),
    handle: async ({ system, query }) => {
      const { format } = query;
      const filter = filterOf(query, system.clock.now());
      const entries = causedDrift(system.stores.ledger, query.changedBy, 'sparse');
      const text = auditExport(entries, { filter, format, version: system.version });
      const ending = format === 'ocsf' ? 'ocsf.ndjson' : format;
      const headers = {
        'content-type': EXPORT_TYPES[format],
        'content-disposition': `attachment; filename="rollcall-audit.${ending}"`,
      };
      const advice = 'Request a shorter range, or use `rollcall audit export --store aws`.';
      return streamText(system, text, headers, { advice });
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/audit/report',
    operationId: 'auditReport',
    answer: 'Report',
    summary: 'Compliance over time: percentage, drift count and age, time to resolve, by OU and by rule',
    heavy: true,
    ...NONE,
    query: z.strictObject({
      since: auditFilter.since.default('30d'),
      until: auditFilter.until,
      interval: z
        .string()
        .max(20)
        .optional()
        .describe('Time between two points, e.g. 1d; default 1d, or 1h for ranges of up to two days'),
      top: limit(100, 10),
    }),
    handle: async ({ system: { stores, clock, reports }, query }) => {
      const now = clock.now();
      const { since = '', until = new Date(now).toISOString() } = rangeOf(query, now);
      const short = Date.parse(until) - Date.parse(since) <= 2 * DAY_MS;
      const intervalMs = durationArgument('interval', query.interval ?? (short ? '1h' : '1d'));
      return reports.get(stores, { since, until, intervalMs, top: query.top });
    },
  }),
];

const DAY_MS = 86_400_000;

/** The names of the accounts that the entries are about, from the last snapshot. */
async function namesOf(
  snapshots: Pick<SnapshotStore, 'load'>,
  entries: readonly LedgerEntry[],
): Promise<Readonly<Record<string, string>>> {
  const ids = new Set(entries.map(({ accountId }) => accountId));
  const accounts = (await snapshots.load())?.accounts ?? [];
  return Object.fromEntries(accounts.filter(({ id }) => ids.has(id)).map(({ id, name }) => [id, name]));
}
