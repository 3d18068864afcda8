import manifest from '../../package.json' with { type: 'json' };
import type { Deps } from '../../shared/app/context.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import type { Feed } from '../api/live/feed.ts';
import type { OpenDoor } from '../api/node-door.ts';
import type { Pages } from '../api/pages.ts';
import type { ApiSystem } from '../api/system.ts';
import type { CliContext } from './context.ts';
import { systemUser } from './operator.ts';
import type { LoadedPolicy } from './session.ts';

export interface ApiFlags {
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_PORT = 4800;
export const DEFAULT_HOST = '127.0.0.1';

/**
 * How long calls to Organizations are retried for one event, ms; after that, a scan covers the account. EventBridge waits 5 s for an API
 * destination to respond and then sends the event again, so this leaves time for the last call and the stores.
 */
const READ_RETRY_MS = 3_000;

/** The API and the dashboard of a running daemon or demo. */
export interface RunningApi extends OpenDoor {
  readonly feed: Feed;
  /** From now on, explains decisions by this policy, and reads the accounts that events name through this app. */
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
  const [
    { openNodeDoor },
    { Feed: LiveFeed },
    { AccountTable },
    { AsOfCache },
    { makeNewId, inTurns, Turns },
    { readApiTokens },
    { accountReader },
  ] = await Promise.all([
    import('../api/node-door.ts'),
    import('../api/live/feed.ts'),
    import('../../shared/app/queries/account-list.ts'),
    import('../../shared/app/queries/audit/as-of-cache.ts'),
    import('../../shared/compose/system.ts'),
    import('../../shared/config/api-env.ts'),
    import('../../shared/app/events/account-reader.ts'),
  ]);
  const tokens = readApiTokens(env);
  const stores = await store.open({ clock, readOnly: false, create: true });
  const turns = new Turns();
  // Reads of a local file block the thread that remediates, so they take turns. Reads over the network do not block it.
  const reads = store.local ? inTurns(stores, turns) : stores;
  const feed = new LiveFeed(clock);
  let inUse = loaded;
  let asking: Pick<Deps, 'cloud' | 'random'> | null = null;
  const readAccounts = () => {
    if (asking === null) return null;
    // Uses the API's own store, because the app's store is closed while the daemon restarts.
    const deps = { ...asking, clock, registers: stores.registers };
    return accountReader(deps, inUse.policy, clock.now() + READ_RETRY_MS);
  };
  const system: ApiSystem = {
    ...{ stores, clock, logger, feed, version: manifest.version, newId: makeNewId(clock), streams: true },
    deployedBus: await store.eventBus(),
    ...{ reads, turn: turns.begin, asOf: new AsOfCache(clock) },
    accounts: new AccountTable(reads, clock, store.accountsAgeMs, turns.begin),
    pollMs: store.pollMs,
    policy: async () => inUse,
    ...(askForScan !== undefined && { askForScan }),
    reader: readAccounts,
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

async function dashboardFiles(): Promise<Pages | null> {
  return (await import('../dashboard/files.ts')).dashboardFiles();
}
