import { jsonLogger, makeRedact } from '../../shared/compose/system.ts';
import { oneLine } from '../../shared/domain/text.ts';
import type { Clock, LogFields, Logger } from '../../shared/ports/system.ts';
import type { Output } from './ui/output.ts';

/** Logs to stderr: with `--verbose` everything as JSON lines, otherwise only warnings and errors, as sentences. */
export function cliLogger(output: Pick<Output, 'note'>, clock: Clock, verbose: boolean): Logger {
  if (verbose) return jsonLogger({ level: 'debug', clock, write: (line) => output.note(line) });
  const redact = makeRedact();
  const say = (level: string, message: string, fields: LogFields | undefined): void => {
    const reason = fields?.['message'] ?? messageOf(fields?.['error']) ?? fields?.['code'];
    const why = reason === undefined ? '' : `: ${String(redact(reason))}`;
    output.note(oneLine(`${level}: ${String(redact(message))}${why}`));
  };
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (message, fields) => say('warning', message, fields),
    error: (message, fields) => say('error', message, fields),
  };
}

function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined;
}
