import { CommanderError } from 'commander';

/** An invalid command line. */
export class UsageError extends CommanderError {
  /** The words of the command that rejected its arguments: `audit list`; empty for `rollcall` itself. */
  readonly path: string;

  /** What the rejected word probably means; `null`: the message may have a suggestion. */
  readonly meant: string | null;

  /** @param message default: that of the error */
  constructor(
    { exitCode, code, message: theirs }: CommanderError,
    path: string,
    { meant = null, message = null }: { readonly meant?: string | null; readonly message?: string | null } = {},
  ) {
    super(exitCode, code, message ?? theirs);
    this.path = path;
    this.meant = meant;
  }
}
