import * as z from 'zod';
import { parseDuration } from './values.ts';

/** The parts of a finding, as JSON in the message of a zod issue: zod passes nothing else from a schema to its issues. */
export const Expecting = z.object({
  expected: z.string(),
  hint: z.string().optional(),
  choices: z.array(z.string()).optional(),
  /** Pattern of the expected string. If the source text of a number or boolean matches it, only the quotes are missing. */
  pattern: z.string().optional(),
});

export type Expecting = z.infer<typeof Expecting>;

export const say = (parts: Expecting): string => JSON.stringify(parts);

export function readExpecting(message: string): Expecting {
  try {
    return Expecting.parse(JSON.parse(message));
  } catch {
    return { expected: message }; // a message from zod
  }
}

export function object<T extends z.core.$ZodLooseShape>(shape: T) {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? say({ expected: `one of ${keys.join(', ')}`, choices: keys })
        : say({ expected: `a map with ${keys.join(', ')}`, hint: 'Write `key: value` lines below it, or remove it.' }),
  });
}

/** A string of a certain form; `why` returns the problem, or null. */
export function text(expecting: Expecting, pattern: RegExp, why?: (value: string) => string | null) {
  return z
    .string({ error: say({ ...expecting, pattern: pattern.source }) })
    .superRefine((value, context) => {
      const problem = pattern.test(value) ? (why?.(value) ?? null) : '';
      if (problem === null) return;
      const hint = problem === '' ? expecting.hint : `${problem[0]?.toUpperCase()}${problem.slice(1)}.`;
      context.addIssue({ code: 'custom', message: say({ ...expecting, ...(hint ? { hint } : {}) }) });
    })
    .register(z.globalRegistry, { pattern: pattern.source });
}

export function choice<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: say({ expected: values.join(' | '), choices: [...values] }) });
}

export function number(expected: string, limits: { min: number; max: number; integer?: boolean; above?: number }) {
  const error = say({ expected });
  // One `check` instead of a method for each limit, because every method copies the schema.
  const base = z.number({ error }).check(z.gte(limits.min, { error }), z.lte(limits.max, { error }));
  const whole = limits.integer ? base.int({ error }) : base;
  return limits.above === undefined ? whole : whole.gt(limits.above, { error });
}

export function duration(expected: string, minMs: number, maxMs: number) {
  const expecting = { expected, hint: 'Write a whole number and s, m, h or d, for example `30m`.' };
  return text(expecting, /^\d{1,9}[smhd]$/, (value) => {
    const ms = parseDuration(value) ?? -1;
    return ms < minMs || ms > maxMs ? `it must be ${expected}` : null;
  }).transform((value) => parseDuration(value) ?? 0);
}

export function list<T extends z.ZodType>(item: T, expected: string) {
  return z.array(item, { error: say({ expected, hint: 'Begin each entry with `- `.' }) });
}

/** A single value, or a list that means any of its values. Parses to a list. */
export function oneOrMany<T extends z.ZodType<string, string>>(item: T, what: string) {
  const error = say({ expected: `${what}, or a list of them`, hint: 'Name at least one, or remove the condition.' });
  return z
    .union([item, z.array(item, { error }).min(1, { error })], { error })
    .transform((value): readonly string[] => (typeof value === 'string' ? [value] : value));
}
