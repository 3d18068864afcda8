import { Worker } from 'node:worker_threads';
import { createRetryingUntil } from '../../../shared/app/support/retry.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { CloudError } from '../../../shared/ports/cloud.ts';
import type { Feed } from '../../api/live/feed.ts';
import type { OpenDoor } from '../../api/node-door.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import type { LoadedPolicy } from '../session.ts';
import {
  type AccountAnswer,
  type ApiFlags,
  type FromApi,
  type PolicySource,
  READ_RETRY_MS,
  type ThreadData,
  type ToApi,
} from './messages.ts';

/** The API and the dashboard of a running daemon or demo, in a thread of their own. */
export interface RunningApi extends OpenDoor {
  readonly feed: Pick<Feed, 'begin' | 'take' | 'scanned' | 'rest'>;
  /** Replaces the policy and the app in use: decisions are explained by this policy, and accounts named by events are read through this app. */
  use(loaded: LoadedPolicy, app: Runtime): void;
}

/** How often the calls to AWS are counted, ms. */
const COUNT_MS = 5_000;

/** The thread's entry point: a source file in a checkout, `api-thread.js` beside the other files of the npm package. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './api-thread.js', import.meta.url);

/**
 * Starts the API in a thread, so that its reads and the remediation do not wait for each other.
 * @throws ConfigError for a host that needs a token, or a port that is not available
 */
export async function startApi(context: CliContext, flags: ApiFlags, loaded: LoadedPolicy): Promise<RunningApi> {
  const { config, env, output } = context;
  const data: ThreadData = {
    config,
    env: { ...env },
    flags,
    policy: sourceOf(loaded),
  };
  const thread = new Worker(ENTRY, { name: 'api', workerData: data, env: data.env });
  const post = (message: ToApi): void => thread.postMessage(message);
  const opened = Promise.withResolvers<Pick<OpenDoor, 'url' | 'port'>>();
  const ended = Promise.withResolvers<void>();
  thread.on('exit', (code) => {
    opened.reject(new Error(`the API's thread ended with code ${code} before it was open`));
    ended.resolve();
  });
  let app: Runtime | null = null;
  let isOpen = false;
  // After the API is open, an error of its thread ends the process, like any other uncaught error.
  thread.on('error', (error) => (isOpen ? throwLater(error) : opened.reject(error)));
  const answer = async (message: Extract<FromApi, { kind: 'readAccount' }>): Promise<void> =>
    post({ kind: 'account', query: message.query, answer: await readAccount(context, app, message) });
  thread.on('message', (message: FromApi) => {
    if (message.kind === 'open') {
      isOpen = true;
      opened.resolve(message);
    } else if (message.kind === 'refused') opened.reject(errorOf(message));
    else if (message.kind === 'note') output.note(message.text);
    else void answer(message);
  });
  const { url, port } = await opened.promise;
  const count = (): void => {
    if (app !== null) post({ kind: 'calls', counts: app.calls });
  };
  const counting = setInterval(count, COUNT_MS).unref();
  return {
    url,
    port,
    feed: {
      begin: (runId) => post({ kind: 'begin', runId }),
      take: (event) => post({ kind: 'progress', event }),
      scanned: () => {
        count();
        post({ kind: 'scanned' });
      },
      rest: () => post({ kind: 'rest' }),
    },
    use: (next, runtime) => {
      app = runtime;
      post({ kind: 'use', policy: sourceOf(next) });
    },
    close: async () => {
      clearInterval(counting);
      post({ kind: 'close' });
      await ended.promise;
    },
  };
}

const sourceOf = ({ file, source }: LoadedPolicy): PolicySource => ({ file, source });

function throwLater(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

function errorOf({ code, message, configuration }: Extract<FromApi, { kind: 'refused' }>): Error {
  return configuration ? new ConfigError(code, message) : new CommandError(code, message);
}

async function readAccount(
  { clock }: CliContext,
  app: Runtime | null,
  { accountId, options }: Extract<FromApi, { kind: 'readAccount' }>,
): Promise<AccountAnswer> {
  try {
    if (app === null) throw new Error('an account was requested before the app was opened');
    const { cloud, random } = app.deps;
    const retry = createRetryingUntil(clock, random, clock.now() + READ_RETRY_MS);
    return { ok: true, account: await cloud.readAccount(accountId, { ...options, retry }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, message, details: error instanceof CloudError ? error.details : null };
  }
}
