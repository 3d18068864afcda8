import type { Stores } from '../../shared/app/context.ts';
import type { ReactDeps } from '../../shared/app/events/event-handler.ts';
import type { AccountTable } from '../../shared/app/queries/account-list.ts';
import type { AsOfCache } from '../../shared/app/queries/audit/as-of-cache.ts';
import type { ReportCache } from '../../shared/app/queries/audit/report-cache.ts';
import type { Instruments } from '../../shared/app/queries/instruments/instruments.ts';
import type { KnownDrifts } from '../../shared/app/queries/known-drifts.ts';
import type { DayAgo } from '../../shared/app/queries/overview.ts';
import type { RunCache } from '../../shared/app/queries/run-cache.ts';
import type { SeenRun } from '../../shared/app/queries/runs.ts';
import type { CallMeter } from '../../shared/app/rate-limiter/call-meter.ts';
import type { Verification } from '../../shared/app/runtime/verification.ts';
import type { ShortRequests } from '../../shared/compose/system.ts';
import type { ApiRole } from '../../shared/config/api-env.ts';
import type { CompiledPolicy, Finding } from '../../shared/domain/policy/index.ts';
import type { DeadLetters } from '../../shared/ports/queue.ts';
import type { Clock, Logger, NewId } from '../../shared/ports/system.ts';
import type { Feed } from './live/feed.ts';
import type { RecentEntries } from './live/recent-entries.ts';

/** The policy that the API's process uses. */
export interface PolicyInUse {
  readonly policy: CompiledPolicy;
  /** The name of its file, without directories; `null`: it does not come from a file. */
  readonly file: string | null;
  /** Warnings that were found when the policy was read. */
  readonly warnings: readonly Finding[];
}

/** The dependencies of the HTTP app, in Node and in Lambda. */
export interface ApiSystem {
  readonly stores: Stores & { readonly deadLetters: DeadLetters };
  /** The stores for requests that only read, if reads must not block other work of the process; default: `stores`. */
  readonly reads?: {
    /** For routes that read any number of entries. */
    readonly heavy: ApiSystem['stores'];
    /** For routes that pass over all accounts for one answer, such as the overview. */
    readonly lists: ApiSystem['stores'];
    /** For the other routes, so that they do not wait for these. */
    readonly light: ApiSystem['stores'];
    /** Counts the requests of the other routes, because the long reads of these wait for them. */
    readonly short: ShortRequests;
  };
  readonly accounts: AccountTable;
  readonly asOf: AsOfCache;
  readonly reports: ReportCache;
  /** The state 24 hours ago, for the overview. */
  readonly dayAgo: DayAgo;
  /** Runs that were read a moment ago. */
  readonly runs: RunCache<SeenRun>;
  /** The newest drifts with their callers. */
  readonly knownDrifts: KnownDrifts;
  readonly verification: Verification;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  /** The deployment's event bus; `null`: entries are published only if the policy names a bus. */
  readonly deployedBus: string | null;
  /** Version of Rollcall. */
  readonly version: string;
  /** Where the state is kept: in local files, or in AWS. */
  readonly runtime: 'embedded' | 'aws';
  /** @throws PolicyUnavailableError */
  readonly policy: () => Promise<PolicyInUse>;
  /** New entries for `/api/events`. */
  readonly recent: RecentEntries;
  /** Live progress for `/api/events`. */
  readonly feed: Feed;
  /** The calls of this process to AWS. Absent if other processes make them. */
  readonly calls?: CallMeter;
  /** The metrics for `/metrics`. Absent in Lambda, whose functions send metrics to CloudWatch. */
  readonly instruments?: Instruments;
  /** Whether answers can be streamed. If not, `/api/events` answers with the events since the reader's previous request. */
  readonly streams: boolean;
  /** How often the ledger is queried for new entries while a client watches, ms. */
  readonly pollMs: number;
  /** Reads an account after an event of AWS; `null`: not ready yet. Absent if a separate function reacts to events. */
  readonly reader?: () => ReactDeps['readAccount'] | null;
}

/** The authenticated caller. */
export interface Principal {
  /** The actor in the ledger: an ARN, `token:NAME`, or the operating system's user. */
  readonly actor: string;
  readonly role: ApiRole;
}
