import { type LambdaContext as HonoContext, handle } from 'hono/aws-lambda';
import manifest from '../../package.json' with { type: 'json' };
import { AccountTable } from '../../shared/app/queries/account-list.ts';
import { AsOfCache } from '../../shared/app/queries/audit/as-of-cache.ts';
import { ReportCache } from '../../shared/app/queries/audit/report-cache.ts';
import { KnownDrifts } from '../../shared/app/queries/known-drifts.ts';
import { DayAgo } from '../../shared/app/queries/overview.ts';
import { RunCache } from '../../shared/app/queries/run-cache.ts';
import { Verification } from '../../shared/app/runtime/verification.ts';
import { type AwsRuntime, composeFromEnvironment } from '../../shared/compose/lambda-runtime.ts';
import { type Compose, lazily } from '../../shared/compose/lazy-runtime.ts';
import { environment } from '../../shared/config/environment.ts';
import { type IsOperator, readOperators } from '../../shared/config/operators.ts';
import { createApi } from './app.ts';
import { readHttpEvent } from './http-event.ts';
import { lambdaDoor } from './lambda-door.ts';
import { Feed } from './live/feed.ts';
import { RecentEntries } from './live/recent-entries.ts';
import { PolicyUnavailableError } from './problem.ts';
import type { ApiSystem } from './system.ts';

/** How long the list of accounts is cached, ms. Making it requires reading all records. */
const ACCOUNTS_AGE_MS = 10_000;
/** How long clients of `/api/events` wait before their next request, ms. */
const POLL_MS = 10_000;

/** Makes the Lambda handler for function URLs and HTTP APIs (payload version 2). Any other event is answered with 400 and the reason. */
export function makeHandler(compose: Compose, isOperator: () => IsOperator = () => readOperators(environment())) {
  const open = lazily(compose);
  let known: { readonly runtime: AwsRuntime; readonly app: ReturnType<typeof createApi> } | null = null;
  return async (given: unknown, context: HonoContext) => {
    const { event, answer } = await readHttpEvent(given);
    const runtime = await open();
    if (known?.runtime !== runtime) {
      known = { runtime, app: createApi(systemOf(runtime), lambdaDoor(isOperator())) };
    }
    const { app } = known;
    return runtime.logger.within({ requestId: context.awsRequestId }, async () => {
      try {
        if (event === null) {
          runtime.logger.warn('an event that is not an HTTP request was refused', { problem: answer.body });
          return answer;
        }
        return await handle(app)(event, context);
      } finally {
        await runtime.flush();
      }
    });
  };
}

function systemOf(runtime: AwsRuntime): ApiSystem {
  const { stores, clock, newId, logger, eventBus } = runtime;
  return {
    stores,
    clock,
    newId,
    logger,
    version: manifest.version,
    runtime: 'aws',
    deployedBus: eventBus,
    accounts: new AccountTable(stores, clock, ACCOUNTS_AGE_MS),
    asOf: new AsOfCache(clock),
    reports: new ReportCache(clock),
    dayAgo: new DayAgo(clock),
    runs: new RunCache(clock),
    knownDrifts: new KnownDrifts(clock),
    verification: new Verification({ stores, clock, logger, inBackground: false }),
    feed: new Feed(clock),
    recent: new RecentEntries(stores.ledger, clock, 0),
    streams: false,
    pollMs: POLL_MS,
    policy: async () => {
      try {
        return { policy: await runtime.policy(), file: null, warnings: [] };
      } catch (error) {
        const message = 'The policy of this deployment cannot be read, or is not valid.';
        throw new PolicyUnavailableError(message, { cause: error });
      }
    },
  };
}

export const handler = makeHandler(() => composeFromEnvironment('api'));
