import { makeRedact } from '../../domain/redact.ts';
import type { Clock, LogFields, Logger } from '../../ports/system.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface JsonLoggerOptions {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  readonly clock: Pick<Clock, 'now'>;
  /** Receives one line, without a line break. */
  readonly write: (line: string) => void;
  /** Exact texts that must not appear in any line. */
  readonly secrets?: readonly string[];
}

/**
 * Writes one JSON object per line: `{"at","level","message",…fields}`. Masks secrets (`makeRedact`). Never throws: a line that cannot be serialized is
 * replaced by one that says so, and a line that cannot be written is dropped.
 */
export function jsonLogger(options: JsonLoggerOptions): Logger {
  const redact = makeRedact(options.secrets);
  const lowest = LOG_LEVELS.indexOf(options.level);

  const line = (level: LogLevel, message: string, fields: LogFields | undefined): string => {
    const at = new Date(options.clock.now()).toISOString();
    try {
      const fixed = { at, level, message: redact(message) };
      return JSON.stringify({ ...fixed, ...Object(redact(fields ?? {})), ...fixed });
    } catch (error) {
      const reason = error instanceof Error ? error.name : typeof error;
      return JSON.stringify({ at, level, message: redact(message), fieldsUnreadable: reason });
    }
  };

  const at = (level: LogLevel) => {
    const enabled = LOG_LEVELS.indexOf(level) >= lowest;
    return (message: string, fields?: LogFields): void => {
      if (enabled) writeSafely(options.write, line(level, message, fields));
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A log that cannot be written, for example on a full disk, must not stop the work. */
function writeSafely(write: (line: string) => void, line: string): void {
  try {
    write(line);
  } catch {
    // This error cannot be logged either.
  }
}
