import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import * as z from 'zod';

/** What a figure is held against. Both sides of a comparison were measured in the same run, on the same machine. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** Of something that is only there to be compared with. */
export const NO_TARGET = null;

/** One line of the bench's output. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** What `value` counts; a ratio says of what to what in `comparedTo` or `bound`. */
  readonly unit: string;
  readonly target: Target | null;
  /** `null`: there is no target. */
  readonly met: boolean | null;
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
  const met = target === null ? null : isMet(target, value);
  const spread = { min: round(Math.min(...runs)), max: round(Math.max(...runs)) };
  return {
    ...{ name, value, unit, target, met, ...rest },
    detail: { ...machine(), runs: runs.map(round), median: value, spread, ...detail },
  };
}

function isMet(target: Target, value: number): boolean {
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}

/** The middle value; of an even number, the mean of the two in the middle. @throws RangeError for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[sorted.length >> 1];
  const low = sorted[(sorted.length - 1) >> 1];
  if (high === undefined || low === undefined) throw new RangeError('the median of nothing');
  return (low + high) / 2;
}

/** Rounds to three significant digits, or to a whole number: the measurements are not more precise. */
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
    versions: {
      ...{ sqlite: process.versions['sqlite'], v8: process.versions.v8 },
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    },
    // Of the last 1, 5 and 15 minutes, when the figure was done: other work on the machine is part of it.
    load: loadavg().map(round),
  };
}

/** What a figure depends on beside Node: what is measured against, and what stands for DynamoDB and SQS. */
const PACKAGES = ['@aws-sdk/client-compute-optimizer', '@smithy/node-http-handler', 'dynalite', 'fauxqs'];

function versionOf(name: string): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  );
  return z.object({ version: z.string() }).parse(manifest).version;
}
