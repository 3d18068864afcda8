import type { StoreProfile } from '../../shared/compose/stores/profile.ts';
import type { Config } from '../../shared/config/config.ts';
import type { Clock, Logger } from '../../shared/ports/system.ts';
import type { Tracer } from '../../shared/ports/tracer.ts';
import type { Interrupt } from './interrupt.ts';
import type { Output } from './ui/output.ts';

/** Where answers to questions come from: a person if it is a terminal. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** The context that every command receives. */
export interface CliContext {
  readonly config: Config;
  readonly store: StoreProfile;
  /** For policies (`${VAR}`) and, in the demo, for the SDK. */
  readonly env: Record<string, string | undefined>;
  readonly output: Output;
  readonly input: () => Input;
  readonly interrupt: Interrupt;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The tracer of the process, opened at the first use. @throws ConfigError for variables of OpenTelemetry that are not supported */
  readonly tracer: () => Promise<Tracer>;
}

/** A command with its parsed arguments. Resolves to the exit code. */
export type Run = (context: CliContext) => Promise<number>;

/** Called by commander's action with the chosen command. */
export type Select = (run: Run) => void;
