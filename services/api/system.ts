import type { Stores } from '../../shared/app/context.ts';
import type { ReactDeps } from '../../shared/app/events/event-handler.ts';
import type { AccountTable } from '../../shared/app/queries/account-list.ts';
import type { AsOfCache } from '../../shared/app/queries/audit/as-of-cache.ts';
import type { ApiRole } from '../../shared/config/api-env.ts';
import type { CompiledPolicy, Finding } from '../../shared/domain/policy/index.ts';
import type { DeadLetters } from '../../shared/ports/queue.ts';
import type { Clock, Logger, NewId } from '../../shared/ports/system.ts';
import type { Feed } from './live/feed.ts';

/** The policy that is in use where the API runs. */
export interface PolicyInUse {
  readonly policy: CompiledPolicy;
  /** What was doubtful about it when it was read. */
  readonly warnings: readonly Finding[];
}

/** What the HTTP app is built from, whichever door it is reached through. */
export interface ApiSystem {
  readonly stores: Stores & { readonly deadLetters: DeadLetters };
  /** The stores for requests that only read, where long reads must not block other work of the process; default: `stores`. */
  readonly reads?: ApiSystem['stores'];
  /** Waits until a longer computation may begin, where it would block other work of the process. */
  readonly turn?: () => Promise<void>;
  readonly accounts: AccountTable;
  readonly asOf: AsOfCache;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  /** The deployment's event bus; `null`: entries are published only if the policy names a bus. */
  readonly deployedBus: string | null;
  /** Of Rollcall. */
  readonly version: string;
  /** @throws PolicyUnavailableError */
  readonly policy: () => Promise<PolicyInUse>;
  /** What happens now, for `/api/events`. */
  readonly feed: Feed;
  /** Whether an answer may last: then events are sent as they happen, else those since the last time. */
  readonly streams: boolean;
  /** How often the ledger is asked for what is new while somebody watches, ms. */
  readonly pollMs: number;
  /** Asks for a scan now where the schedule is not what scans are begun by (the demo). */
  readonly askForScan?: () => Promise<void>;
  /** Who reads the accounts that one of AWS's events is about; `null`: nobody yet. Absent where a function of its own reacts to events. */
  readonly reader?: () => ReactDeps['readAccount'] | null;
}

/** Who asks, as the door has found out. */
export interface Principal {
  /** As the ledger names who acted: an ARN, `token:NAME`, or the operating system's user. */
  readonly actor: string;
  readonly role: ApiRole;
}
