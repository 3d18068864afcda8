import type { OutputFormat } from '../../../shared/config/config.ts';

/** A command line and what it does. */
export type Example = readonly [command: string, what: string];

/** What `--help` says about a command, beside its arguments and options. */
interface HelpText {
  /** One line for lists of commands, without a full stop. */
  readonly summary: string;
  /** Full sentences; default: the summary. */
  readonly description?: string;
  readonly examples?: readonly Example[];
  /** Formats of `--output` besides `table` and `json`. */
  readonly formats?: readonly OutputFormat[];
  readonly seeAlso?: readonly string[];
  /** Lines that are printed as they are, after the options. */
  readonly notes?: readonly string[];
}

/** Help texts by command path: `plan`, `audit list`. */
export type HelpTexts = Readonly<Record<string, HelpText>>;
