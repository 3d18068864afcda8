import { CommanderError } from 'commander';

/** An invalid command line. */
export class UsageError extends CommanderError {
  /** The words of the command that rejected its arguments: `audit list`; empty for `rollcall` itself. */
  readonly path: string;

  /** What the rejected word probably means; `null`: the message may have a suggestion. */
  readonly meant: string | null;

  constructor({ exitCode, code, message }: CommanderError, path: string, meant: string | null = null) {
    super(exitCode, code, message);
    this.path = path;
    this.meant = meant;
  }
}
