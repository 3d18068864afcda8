import { CommanderError } from 'commander';

/** An invalid command line. */
export class UsageError extends CommanderError {
  /** The words of the command that rejected its arguments: `audit list`; empty for `rollcall` itself. */
  readonly path: string;

  constructor({ exitCode, code, message }: CommanderError, path: string) {
    super(exitCode, code, message);
    this.path = path;
  }
}
