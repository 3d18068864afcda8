import { makeHandler as makeScanner, type ScannerResult } from '../../../services/scanner/handler.ts';
import { makeHandler as makeTick, type TickResult } from '../../../services/tick/handler.ts';
import { type BatchResponse, makeHandler as makeWorker } from '../../../services/worker/handler.ts';
import type { Settings } from '../../../shared/app/context.ts';
import type { LambdaContext } from '../../../shared/compose/lazy-runtime.ts';
import { lambdaContext, type SqsEvent } from '../../support/lambda-events.ts';
import type { Deployment } from './deployment.ts';

export interface Functions {
  tick(): Promise<TickResult>;
  /** Delivers the scan requests that were put on the bus since the last call. */
  scan(context?: LambdaContext): Promise<ScannerResult[]>;
  scanner(event: unknown, context: LambdaContext): Promise<ScannerResult>;
  /** Delivers one batch and deletes the successful messages, as Lambda does. `null`: the queue is empty. */
  work(): Promise<{ readonly event: SqsEvent; readonly failed: readonly string[] } | null>;
  worker(event: unknown, context: LambdaContext): Promise<BatchResponse>;
}

export interface FunctionOptions {
  readonly settings?: Partial<Settings>;
  /** Time that the scanner reserves for a graceful end, ms. */
  readonly reserveMs?: number;
  /** Wraps every call of a function. */
  readonly around?: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

/** The deployment's functions, called as in AWS by the scheduler, a rule of the bus, or the event source mapping. */
export function functionsOf(world: Deployment, options: FunctionOptions = {}): Functions {
  const { settings, reserveMs, around = (_name, work) => work() } = options;
  const tick = makeTick(world.compose('tick', settings), () => world.env);
  const scanner = makeScanner(world.compose('scanner', settings), reserveMs);
  const worker = makeWorker(world.compose('worker', settings));
  let seen = 0;
  const functions: Functions = {
    tick: () => around('tick', () => tick({}, lambdaContext(world.clock, 55_000))),
    async scan(context) {
      const all = world.events('Scan Requested');
      const fresh = all.slice(seen);
      seen = all.length;
      const results = [];
      for (const event of fresh) results.push(await functions.scanner(event, context ?? lambdaContext(world.clock)));
      return results;
    },
    scanner: (event, context) => around('scanner', () => scanner(event, context)),
    async work() {
      const event = await world.sqsEvent();
      if (event.Records.length === 0) return null;
      const { batchItemFailures } = await functions.worker(event, lambdaContext(world.clock));
      const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      await world.remove(event.Records.filter(({ messageId }) => !kept.has(messageId)));
      return { event, failed: [...kept] };
    },
    worker: (event, context) => around('worker', () => worker(event, context)),
  };
  return functions;
}
