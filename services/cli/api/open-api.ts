import { basename } from 'node:path';
import manifest from '../../../package.json' with { type: 'json' };
import { accountReader } from '../../../shared/app/events/account-reader.ts';
import { controlsVersion } from '../../../shared/app/guardrails/controls.ts';
import { AccountTable } from '../../../shared/app/queries/account-list.ts';
import { AsOfCache } from '../../../shared/app/queries/audit/as-of-cache.ts';
import { ReportCache } from '../../../shared/app/queries/audit/report-cache.ts';
import { Instruments } from '../../../shared/app/queries/instruments/instruments.ts';
import { WorkMeter } from '../../../shared/app/queries/instruments/work-meter.ts';
import { KnownDrifts } from '../../../shared/app/queries/known-drifts.ts';
import { DayAgo } from '../../../shared/app/queries/overview.ts';
import { RunCache } from '../../../shared/app/queries/run-cache.ts';
import { CallMeter } from '../../../shared/app/rate-limiter/call-meter.ts';
import { Verification } from '../../../shared/app/runtime/verification.ts';
import type { OpenStore } from '../../../shared/compose/stores/profile.ts';
import {
  cachedRecords,
  cachedSnapshots,
  inTurns,
  makeNewId,
  ShortRequests,
  Turns,
} from '../../../shared/compose/system.ts';
import { readApiTokens } from '../../../shared/config/api-env.ts';
import { MAX_ACCOUNTS } from '../../../shared/domain/page-bounds.ts';
import type { Cloud } from '../../../shared/ports/cloud.ts';
import type { Clock } from '../../../shared/ports/system.ts';
import { Feed } from '../../api/live/feed.ts';
import { RecentEntries } from '../../api/live/recent-entries.ts';
import { type OpenDoor, openNodeDoor } from '../../api/node-door.ts';
import type { Pages } from '../../api/pages.ts';
import type { ReadLane } from '../../api/route.ts';
import type { ApiSystem } from '../../api/system.ts';
import type { CliContext } from '../context.ts';
import { operator } from '../operator.ts';
import { type LoadedPolicy, STDIN } from '../session.ts';
import { type ApiFlags, READ_RETRY_MS } from './messages.ts';

/** The API keeps records in memory only of organizations up to this size. */
const MOST_RECORDS = 2 * MAX_ACCOUNTS;
/** Entries in a page of the audit log. Reading such a page takes about a millisecond, and a light read needs only a few pages. */
const SHORT_QUERY = 100;
/** After an event has changed the name or OU of an account, lists show the old one for at most this long, ms. */
const SNAPSHOT_AGE_MS = 10_000;
/** Counting the accounts of a remote store reads all of their records, which costs money. Prometheus usually scrapes once a minute or more often. */
const METRICS_AGE_MS = 60_000;

/** The part of the command's context that the API uses. */
export type ApiContext = Pick<CliContext, 'clock' | 'logger' | 'store' | 'env'>;

/** What the API asks of the daemon or the demo. */
export interface ApiRequests {
  /** Reads one account from AWS Organizations and retries for up to `READ_RETRY_MS`; `null`: not connected to AWS yet. */
  readonly cloud: () => Pick<Cloud, 'readAccount'> | null;
}

/** The API and the dashboard of a running daemon or demo. */
export interface OpenApi extends OpenDoor {
  readonly feed: Feed;
  /** Takes the counts of the calls that the app makes. */
  readonly calls: CallMeter;
  /** Counts the progress of the app for the metrics. */
  readonly work: WorkMeter;
  /** Replaces the policy by which decisions are explained. */
  use(loaded: LoadedPolicy): void;
}

/**
 * Opens the API with a store of its own, so that it also responds while the daemon restarts under a new policy.
 * @throws ConfigError for a host that needs a token, or a port that is not available
 */
export async function openApi(
  context: ApiContext,
  flags: ApiFlags,
  loaded: LoadedPolicy,
  requests: ApiRequests,
): Promise<OpenApi> {
  const stores = await context.store.open({ clock: context.clock, readOnly: false, create: true });
  try {
    const tokens = readApiTokens(context.env);
    const inUse = { loaded };
    const calls = new CallMeter(context.clock);
    const work = new WorkMeter();
    const system = await systemOf(context, stores, inUse, { cloud: requests.cloud, calls, work });
    const door = await openNodeDoor({
      ...flags,
      system,
      tokens,
      localActor: await operator(context),
      pages: dashboardFiles,
    });
    return {
      url: door.url,
      port: door.port,
      feed: system.feed,
      calls,
      work,
      use: (next) => {
        inUse.loaded = next;
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

async function systemOf(
  { clock, logger, store }: ApiContext,
  stores: OpenStore,
  inUse: { readonly loaded: LoadedPolicy },
  { cloud, calls, work }: ApiRequests & Pick<OpenApi, 'calls' | 'work'>,
): Promise<ApiSystem> {
  // Light reads and lists of accounts have turns of their own, so that they do not wait for heavy reads. A light read has few pieces, so it needs no rests.
  const short = new ShortRequests();
  const long = { before: short };
  const turns = { heavy: new Turns(long), lists: new Turns(long), light: new Turns({ rests: false }) };
  // Another process can restore a backup while the API has the store open.
  const version = () => controlsVersion(stores.registers);
  // The table of accounts reads the records kept in memory, so each of the two has half of the permitted age.
  const maxAgeMs = store.local ? store.accountsAgeMs / 2 : store.accountsAgeMs;
  // Reads of a local file block the API's thread, so other requests get a turn between them. Reads over the network do not block.
  const reads = store.local ? localReads(stores, { clock, turns, short, maxAgeMs, version }) : null;
  const light = reads?.light ?? stores;
  const reader = () => {
    const connected = cloud();
    if (connected === null) return null;
    const deps = { cloud: connected, registers: stores.registers, clock, random: Math.random };
    return accountReader(deps, inUse.loaded.policy, clock.now() + READ_RETRY_MS);
  };
  const runtime = store.local ? 'embedded' : 'aws';
  const deployedBus = await store.eventBus();
  const instruments = new Instruments({
    stores: light,
    clock,
    deployedBus,
    maxAgeMs: store.local ? 0 : METRICS_AGE_MS,
    process: { version: manifest.version, runtime, startedAt: clock.now(), calls, work },
  });
  return {
    stores,
    clock,
    logger,
    feed: new Feed(clock),
    version: manifest.version,
    newId: makeNewId(clock),
    streams: true,
    runtime,
    instruments,
    deployedBus,
    calls,
    dayAgo: new DayAgo(clock, turns.heavy.begin),
    runs: new RunCache(clock),
    knownDrifts: new KnownDrifts(clock, { turn: turns.heavy.begin, version }),
    ...(reads !== null && { reads }),
    asOf: new AsOfCache(clock),
    reports: new ReportCache(clock, { turn: turns.heavy.begin, version }),
    verification: new Verification({
      stores: light,
      longReads: reads?.heavy ?? stores,
      clock,
      logger,
      inBackground: true,
    }),
    accounts: new AccountTable(reads?.lists ?? stores, clock, maxAgeMs, turns.lists.begin),
    pollMs: store.pollMs,
    recent: new RecentEntries(stores.ledger, clock, store.pollMs / 2),
    policy: async () => ({ ...inUse.loaded, file: fileOf(inUse.loaded) }),
    reader,
  };
}

/** The name of the policy's file, without directories; `null`: it came from stdin. */
const fileOf = ({ file }: LoadedPolicy): string | null => (file === STDIN ? null : basename(file));

interface LocalReadOptions {
  readonly clock: Clock;
  readonly turns: Readonly<Record<ReadLane, Turns>>;
  readonly short: ShortRequests;
  /** How old the records in lists may be, ms. */
  readonly maxAgeMs: number;
  /** Differs after a restore. */
  readonly version: () => Promise<string | null>;
}

/**
 * The stores for reads of a local file. Records and snapshot are kept in memory and brought up to date without turns, because that takes only
 * milliseconds. Each pass over all records takes a turn, because simultaneous passes would all end at about the time of the last one.
 */
function localReads(stores: ApiSystem['stores'], { clock, turns, short, maxAgeMs, version }: LocalReadOptions) {
  const { all, getMany } = cachedRecords(stores.records, clock, { maxAgeMs, maxRecords: MOST_RECORDS, version });
  const snapshots = cachedSnapshots(stores.snapshots, clock, SNAPSHOT_AGE_MS);
  const inMemory = (lane: ReadLane): ApiSystem['stores'] => {
    const own = turns[lane];
    const paced = inTurns(stores, own, { shortQuery: lane === 'heavy' ? 0 : SHORT_QUERY });
    const pass = async function* () {
      await own.begin();
      yield* all();
    };
    return { ...paced, snapshots, records: { ...paced.records, all: pass, getMany } };
  };
  return { heavy: inMemory('heavy'), lists: inMemory('lists'), light: inMemory('light'), short };
}

async function dashboardFiles(): Promise<Pages | null> {
  return (await import('../../dashboard/files.ts')).dashboardFiles();
}
