import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import * as z from 'zod';

/** The target of a figure. Both sides of a comparison are measured in the same run, on the same machine. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** For a figure that only serves as a comparison. */
export const NO_TARGET = null;

/** One line of the bench's output. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** The unit of `value`; for a ratio, `comparedTo` or `bound` names the other side. */
  readonly unit: string;
  readonly target: Target | null;
  /** `null`: there is no target. */
  readonly met: boolean | null;
  /** The limit of any implementation, in the terms and units of the figure. */
  readonly bound?: string;
  /** Another implementation of the same work, measured in the same run. */
  readonly comparedTo?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A figure before it is compared with its target. */
export interface Measured extends Omit<Figure, 'value' | 'met' | 'detail'> {
  /** One value per run. */
  readonly runs: readonly number[];
  /** Data that explains the value. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Compares the median of the runs with the target. */
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
    // The load of the last 1, 5 and 15 minutes, including other work on the machine.
    load: loadavg().map(round),
  };
}

/** Packages besides Node that affect the figures: the SDK, and the simulations of DynamoDB and SQS. */
const PACKAGES = ['@aws-sdk/client-compute-optimizer', '@smithy/node-http-handler', 'dynalite', 'fauxqs'];

function versionOf(name: string): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  );
  return z.object({ version: z.string() }).parse(manifest).version;
}
