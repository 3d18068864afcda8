import { cpus, totalmem } from 'node:os';

/** What a figure is held against. Both sides of a comparison were measured in the same run, on the same machine. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** One line of the bench's output. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** What `value` counts; a ratio says of what to what in `comparedTo` or `bound`. */
  readonly unit: string;
  readonly target: Target;
  readonly met: boolean;
  /** The limit that no implementation could pass, in the words and units of the figure. */
  readonly bound?: string;
  /** Another way of doing the same work, measured in the same run. */
  readonly comparedTo?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A figure before it is known whether it meets its target. */
export interface Measured extends Omit<Figure, 'value' | 'met' | 'detail'> {
  /** One value a run. */
  readonly runs: readonly number[];
  /** Whatever explains the value. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Judges the median of the runs. */
export function figure({ runs, detail, target, name, unit, ...rest }: Measured): Figure {
  const value = round(median(runs));
  const met = 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
  const spread = { min: round(Math.min(...runs)), max: round(Math.max(...runs)) };
  return {
    ...{ name, value, unit, target, met, ...rest },
    detail: { ...machine(), runs: runs.map(round), median: value, spread, ...detail },
  };
}

/** The middle value; of an even number, the mean of the two in the middle. @throws RangeError for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[sorted.length >> 1];
  const low = sorted[(sorted.length - 1) >> 1];
  if (high === undefined || low === undefined) throw new RangeError('the median of nothing');
  return (low + high) / 2;
}

/** Three significant digits, or whole numbers: more would pretend to a precision that nobody measured. */
export function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

function machine(): Record<string, unknown> {
  const [cpu] = cpus();
  return {
    machine: `${process.platform} ${process.arch}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    versions: { sqlite: process.versions['sqlite'], v8: process.versions.v8 },
  };
}
