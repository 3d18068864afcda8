import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger as Powertools } from '@aws-lambda-powertools/logger';
import { makeRedact } from '../../../domain/redact.ts';
import type { LogFields, Logger } from '../../../ports/system.ts';

/** A logger that adds fields to all lines of a piece of work. */
export interface ScopedLogger extends Logger {
  /** Adds `fields` (such as the run id) to every line that `work` logs, also asynchronously. */
  within<T>(fields: LogFields, work: () => Promise<T>): Promise<T>;
}

export interface LambdaLoggerOptions {
  readonly service: string;
  readonly stage: string;
  readonly level: keyof Logger;
}

/**
 * Writes JSON log lines with Powertools and masks secrets. The fields of `within` are kept in the asynchronous context, because messages are
 * processed in parallel.
 */
export function lambdaLogger({ service, stage, level }: LambdaLoggerOptions): ScopedLogger {
  const scope = new AsyncLocalStorage<LogFields>();
  const powertools = new Powertools({ serviceName: service, logLevel: LEVELS[level], persistentKeys: { stage } });
  const redact = makeRedact();
  const write =
    (method: keyof Logger) =>
    (message: string, fields?: LogFields): void => {
      const extra = Object(redact({ ...scope.getStore(), ...fields }));
      // Powertools reserves the name `message` for its first argument, so a field of that name is logged as `detail`.
      const { message: detail, ...rest } = extra;
      powertools[method](String(redact(message)), detail === undefined ? rest : { ...rest, detail });
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    within: (fields, work) => scope.run({ ...scope.getStore(), ...fields }, work),
  };
}

const LEVELS = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;
