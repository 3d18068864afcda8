import type { z } from 'zod';
import type { Registers } from '../ports/registers.ts';

/** A register of a known shape. */
export interface Typed<T> {
  readonly value: T;
  readonly version: string;
}

/** Reads a register and checks its shape; a register of another shape is an error, never taken for absent. */
export async function readTyped<T>(registers: Registers, name: string, schema: z.ZodType<T>): Promise<Typed<T> | null> {
  const register = await registers.read(name);
  if (register === null) return null;
  const parsed = schema.safeParse(register.value);
  if (!parsed.success) {
    throw new Error(`register ${name} has a shape that this version does not know: ${parsed.error.message}`);
  }
  return { value: parsed.data, version: register.version };
}

/**
 * Changes a register by compare-and-set until it succeeds. `change` may be called several times and must be pure. What it leaves as it is
 * is not written: some ask all the time.
 * @returns what is there now.
 */
export async function update<T>(
  registers: Registers,
  name: string,
  schema: z.ZodType<T>,
  change: (current: T | null) => T,
): Promise<T> {
  for (;;) {
    const current = await readTyped(registers, name, schema);
    const next = change(current?.value ?? null);
    if (current !== null && JSON.stringify(next) === JSON.stringify(current.value)) return next;
    if ((await registers.write(name, next, current?.version ?? null)) !== null) return next;
  }
}
