import type * as z from 'zod';
import { safeParseUntrusted } from '../../domain/safe-parse.ts';
import { DamagedRegisterError, type Registers } from '../../ports/registers.ts';

/** A register of a known shape. */
export interface Typed<T> {
  readonly value: T;
  readonly version: string;
}

/** Reads a register and checks its shape; a register of another shape is an error, never taken for absent. @throws DamagedRegisterError */
export async function readTyped<T>(registers: Registers, name: string, schema: z.ZodType<T>): Promise<Typed<T> | null> {
  const register = await registers.read(name);
  if (register === null) return null;
  return { value: readValue(name, register.value, schema), version: register.version };
}

/** The content of a register that was read. @throws DamagedRegisterError that says where it is of another shape */
export function readValue<T>(name: string, value: unknown, schema: z.ZodType<T>): T {
  const parsed = safeParseUntrusted(schema, value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.map(String).join('.').slice(0, 200) || 'the document';
  throw new DamagedRegisterError(name, `${at}: ${issue?.message ?? 'unreadable'}`, { cause: parsed.error });
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
