import type { StoreProfile } from '../../shared/compose/stores/profile.ts';
import type { Config } from '../../shared/config/config.ts';
import type { Clock, Logger } from '../../shared/ports/system.ts';
import type { Interrupt } from './interrupt.ts';
import type { Output } from './ui/output.ts';

/** What every command is given. */
export interface CliContext {
  readonly config: Config;
  readonly store: StoreProfile;
  /** For policies (`${VAR}`) and, in the demo, for the SDK. */
  readonly env: Record<string, string | undefined>;
  readonly output: Output;
  readonly interrupt: Interrupt;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A command with its own arguments read: runs and answers the exit code. */
export type Run = (context: CliContext) => Promise<number>;

/** Told by commander's action which command was meant. */
export type Select = (run: Run) => void;
