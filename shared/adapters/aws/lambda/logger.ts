import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger as Powertools } from '@aws-lambda-powertools/logger';
import { makeRedact } from '../../../domain/redact.ts';
import type { LogFields, Logger } from '../../../ports/system.ts';

/** A logger whose lines include the fields of the work that they belong to. */
export interface ScopedLogger extends Logger {
  /** Adds `fields` (such as the run id) to every line that `work` logs, also asynchronously. */
  within<T>(fields: LogFields, work: () => Promise<T>): Promise<T>;
}

export interface LambdaLoggerOptions {
  readonly service: string;
  readonly stage: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
}

/**
 * JSON log lines by Powertools. The messages of one batch are processed in parallel, so their fields belong to the asynchronous context and
 * not to the logger. Secrets are masked (see `makeRedact`).
 */
export function lambdaLogger({ service, stage, level }: LambdaLoggerOptions): ScopedLogger {
  const scope = new AsyncLocalStorage<LogFields>();
  const powertools = new Powertools({ serviceName: service, logLevel: LEVELS[level], persistentKeys: { stage } });
  const redact = makeRedact();
  const write =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields?: LogFields): void => {
      const extra = Object(redact({ ...scope.getStore(), ...fields }));
      // Powertools takes `message` only from its first argument.
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
