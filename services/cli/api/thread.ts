import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../../shared/compose/clock.ts';
import { storeProfile } from '../../../shared/compose/stores/index.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { CloudError } from '../../../shared/ports/cloud.ts';
import { reportOf } from '../errors.ts';
import { cliLogger } from '../log.ts';
import { policyOf } from '../session.ts';
import type { AccountAnswer, FromApi, ThreadData, ToApi } from './messages.ts';
import { type ApiContext, type ApiRequests, type OpenApi, openApi } from './open-api.ts';

/*
 * The thread of the API and the dashboard. A read of the embedded store blocks its thread, and so do sorting and serializing 10,000 accounts. In a thread
 * of their own they do not delay remediation, and a commit of the workers does not delay an answer.
 */

if (parentPort === null) throw new Error('services/cli/api/thread.ts is started by start-api.ts');
const port = parentPort;
const data: ThreadData = workerData;
const clock = systemClock;

const send = (message: FromApi): void => port.postMessage(message);

/** Accounts that the command's thread reads for this one. */
class AccountQueries {
  readonly #open = new Map<number, (answer: AccountAnswer) => void>();
  #last = 0;

  readonly readAccount: NonNullable<ReturnType<ApiRequests['cloud']>>['readAccount'] = async (accountId, options) => {
    const { organizationId, managementAccountId, tags } = options;
    this.#last += 1;
    const query = this.#last;
    const { promise, resolve } = Promise.withResolvers<AccountAnswer>();
    this.#open.set(query, resolve);
    send({ kind: 'readAccount', query, accountId, options: { organizationId, managementAccountId, tags } });
    const answer = await promise;
    if (answer.ok) return answer.account;
    if (answer.details === null) throw new Error(answer.message);
    throw new CloudError(answer.message, answer.details);
  };

  answer(query: number, answer: AccountAnswer): void {
    this.#open.get(query)?.(answer);
    this.#open.delete(query);
  }
}

async function start(): Promise<void> {
  const context: ApiContext = {
    clock,
    env: data.env,
    store: storeProfile(data.config, data.env),
    logger: cliLogger({ note: (text) => send({ kind: 'note', text }) }, clock, data.config.verbose),
  };
  const queries = new AccountQueries();
  let connected = false;
  const loaded = await policyOf(data.policy, context);
  const api = await openApi(context, data.flags, loaded, { cloud: () => (connected ? queries : null) });
  port.on('message', (message: ToApi) => {
    if (message.kind === 'use') connected = true;
    take(message, { api, queries, context });
  });
  send({ kind: 'open', url: api.url, port: api.port });
}

interface Parts {
  readonly api: OpenApi;
  readonly queries: AccountQueries;
  readonly context: ApiContext;
}

function take(message: ToApi, { api, queries, context }: Parts): void {
  const { feed } = api;
  if (message.kind === 'begin') feed.begin(message.runId);
  else if (message.kind === 'progress') {
    feed.take(message.event);
    api.work.take(message.event);
  } else if (message.kind === 'scanned') feed.scanned();
  else if (message.kind === 'rest') feed.rest();
  else if (message.kind === 'calls') api.calls.take(message.counts);
  else if (message.kind === 'account') queries.answer(message.query, message.answer);
  // A rejected promise ends the thread with an error, which the command's thread reports.
  else if (message.kind === 'use') void policyOf(message.policy, context).then(api.use);
  else void api.close().then(() => port.close());
}

try {
  await start();
} catch (error) {
  send({ kind: 'refused', ...reportOf(error), configuration: error instanceof ConfigError });
  port.close();
}
