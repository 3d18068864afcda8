/** The only source of time in Rollcall. Tests set it. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Resolves after `ms`, or as soon as `signal` aborts (without throwing). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Milliseconds since an arbitrary moment. It never goes backwards, but may stop while the machine sleeps. */
export type Monotonic = () => number;

/** A number in [0, 1). */
export type Random = () => number;

/** A unique id, sortable by creation time: `[0-9A-Z]{26}`. */
export type NewId = () => string;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** JSON values without secrets. */
export type LogFields = Readonly<Record<string, unknown>>;
