import manifest from '../../package.json' with { type: 'json' };
import type { Deps } from '../../shared/app/context.ts';
import { accountReader } from '../../shared/app/events/account-reader.ts';
import { controlsVersion } from '../../shared/app/guardrails/controls.ts';
import { AccountTable } from '../../shared/app/queries/account-list.ts';
import { AsOfCache } from '../../shared/app/queries/audit/as-of-cache.ts';
import { ReportCache } from '../../shared/app/queries/audit/report-cache.ts';
import { Verification } from '../../shared/app/runtime/verification.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { cachedRecords, cachedSnapshots, inTurns, makeNewId, Turns } from '../../shared/compose/system.ts';
import { readApiTokens } from '../../shared/config/api-env.ts';
import { MAX_ACCOUNTS } from '../../shared/domain/page-bounds.ts';
import type { Clock } from '../../shared/ports/system.ts';
import { Feed } from '../api/live/feed.ts';
import { RecentEntries } from '../api/live/recent-entries.ts';
import { type OpenDoor, openNodeDoor } from '../api/node-door.ts';
import type { Pages } from '../api/pages.ts';
import type { ApiSystem } from '../api/system.ts';
import type { CliContext } from './context.ts';
import { systemUser } from './operator.ts';
import type { LoadedPolicy } from './session.ts';

export interface ApiFlags {
  readonly host: string;
  readonly port: number;
}

/**
 * How long calls to Organizations are retried for one event, ms; after that, a scan covers the account. EventBridge waits 5 s for an API
 * destination to respond and then sends the event again, so this leaves time for the last call and the stores.
 */
const READ_RETRY_MS = 3_000;

/** The API keeps records in memory only of organizations up to this size. */
const MOST_RECORDS = 2 * MAX_ACCOUNTS;
/** A query for this many entries takes about a millisecond, and a light read makes only a few of them. */
const SHORT_QUERY = 50;
/** After an event has changed the name or OU of an account, lists show the old one for at most this long, ms. */
const SNAPSHOT_AGE_MS = 10_000;

/** The API and the dashboard of a running daemon or demo. */
export interface RunningApi extends OpenDoor {
  readonly feed: Feed;
  /** Replaces the policy and the app in use: decisions are explained by this policy, and accounts named by events are read through this app. */
  use(loaded: LoadedPolicy, app: Runtime): void;
}

/**
 * Opens the API with a store of its own, so that it also responds while the daemon restarts under a new policy.
 * @throws ConfigError for a host that needs a token, or a port that is not available
 */
export async function startApi(
  context: CliContext,
  flags: ApiFlags,
  loaded: LoadedPolicy,
  askForScan?: () => Promise<void>,
): Promise<RunningApi> {
  const { clock, logger, store, env } = context;
  const tokens = readApiTokens(env);
  const stores = await store.open({ clock, readOnly: false, create: true });
  // Light reads and lists of accounts have turns of their own, so that they do not wait for heavy reads.
  const turns = { heavy: new Turns(), light: new Turns(), accounts: new Turns() };
  // Another process can restore a backup while the API has the store open.
  const version = () => controlsVersion(stores.registers);
  // The table of accounts reads the records kept in memory, so each of the two has half of the permitted age.
  const maxAgeMs = store.local ? store.accountsAgeMs / 2 : store.accountsAgeMs;
  // Reads of a local file block the thread that also remediates, so other work gets a turn between them. Reads over the network do not block.
  const reads = store.local ? localReads(stores, { clock, turns, maxAgeMs, version }) : null;
  const light = reads?.light ?? stores;
  const feed = new Feed(clock);
  let inUse = loaded;
  let asking: Pick<Deps, 'cloud' | 'random'> | null = null;
  const reader = () => {
    if (asking === null) return null;
    // The API's own registers: the daemon closes its store and opens it again when it loads another policy.
    const deps = { ...asking, clock, registers: stores.registers };
    return accountReader(deps, inUse.policy, clock.now() + READ_RETRY_MS);
  };
  const system: ApiSystem = {
    ...{ stores, clock, logger, feed, version: manifest.version, newId: makeNewId(clock), streams: true },
    deployedBus: await store.eventBus(),
    ...(reads !== null && { reads }),
    ...{ asOf: new AsOfCache(clock), reports: new ReportCache(clock, { turn: turns.heavy.begin, version }) },
    verification: new Verification({ stores: reads?.heavy ?? stores, clock, logger, inBackground: true }),
    accounts: new AccountTable(light, clock, maxAgeMs, turns.accounts.begin),
    ...{ pollMs: store.pollMs, recent: new RecentEntries(stores.ledger, clock, store.pollMs / 2) },
    policy: async () => inUse,
    ...(askForScan !== undefined && { askForScan }),
    reader,
  };
  try {
    const door = await openNodeDoor({ ...flags, system, tokens, localActor: systemUser(), pages: dashboardFiles });
    return {
      ...{ url: door.url, port: door.port, feed },
      use: (next, { deps }) => {
        inUse = next;
        asking = deps;
      },
      close: async () => {
        await door.close();
        await stores.close();
      },
    };
  } catch (error) {
    await stores.close();
    throw error;
  }
}

interface LocalReadOptions {
  readonly clock: Clock;
  readonly turns: Readonly<Record<'heavy' | 'light', Turns>>;
  /** How old the records in lists may be, ms. */
  readonly maxAgeMs: number;
  /** Differs after a restore. */
  readonly version: () => Promise<string | null>;
}

/** The stores for reads of a local file. Records and snapshot are kept in memory and brought up to date without turns, because that takes only milliseconds. */
function localReads(stores: ApiSystem['stores'], { clock, turns, maxAgeMs, version }: LocalReadOptions) {
  const { all } = cachedRecords(stores.records, clock, { maxAgeMs, maxRecords: MOST_RECORDS, version });
  const snapshots = cachedSnapshots(stores.snapshots, clock, SNAPSHOT_AGE_MS);
  const inMemory = (paced: ApiSystem['stores']): ApiSystem['stores'] => {
    return { ...paced, snapshots, records: { ...paced.records, all } };
  };
  return {
    heavy: inMemory(inTurns(stores, turns.heavy)),
    light: inMemory(inTurns(stores, turns.light, { shortQuery: SHORT_QUERY })),
  };
}

async function dashboardFiles(): Promise<Pages | null> {
  return (await import('../dashboard/files.ts')).dashboardFiles();
}
