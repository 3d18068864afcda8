/** Time, as everything in Rollcall sees it. Tests move it by hand. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Returns after `ms`, or as soon as `signal` aborts (without throwing). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Milliseconds since an arbitrary moment. It is never set and never goes backwards, but may stand still while the machine sleeps. */
export type Monotonic = () => number;

/** A number in [0, 1). */
export type Random = () => number;

/** Unique, sortable by time of making, `[0-9A-Z]{26}`. */
export type NewId = () => string;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** JSON; never secrets. */
export type LogFields = Readonly<Record<string, unknown>>;
