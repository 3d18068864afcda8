import type * as z from 'zod';
import { safeParseUntrusted } from '../../domain/safe-parse.ts';
import { DamagedRegisterError, type Registers } from '../../ports/registers.ts';

/** A register with the shape of its content. */
export interface StoredDocument<T> {
  readonly name: string;
  readonly schema: z.ZodType<T>;
}

/** The content of a register, with its version when it was read. */
export interface Typed<T> {
  readonly value: T;
  readonly version: string;
}

/** Reads a register and checks its shape. @throws DamagedRegisterError for another shape */
export async function readTyped<T>(
  registers: Pick<Registers, 'read'>,
  document: StoredDocument<T>,
): Promise<Typed<T> | null> {
  const register = await registers.read(document.name);
  if (register === null) return null;
  return { value: readValue(document, register.value), version: register.version };
}

/** Checks the content of a register. @throws DamagedRegisterError that names the first field of another shape */
export function readValue<T>({ name, schema }: StoredDocument<T>, value: unknown): T {
  const parsed = safeParseUntrusted(schema, value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.map(String).join('.').slice(0, 200) || 'the document';
  throw new DamagedRegisterError(name, `${at}: ${issue?.message ?? 'unreadable'}`, { cause: parsed.error });
}

/**
 * Writes a register if its version is still `expected` (`null`: it does not exist).
 * @returns the new version; `null`: another process was faster, and nothing was written.
 */
export function writeTyped<T>(
  registers: Pick<Registers, 'write'>,
  { name }: StoredDocument<T>,
  value: NoInfer<T>,
  expected: string | null,
): Promise<string | null> {
  return registers.write(name, value, expected);
}

/**
 * Changes a register by compare-and-set and returns its new content. `change` must be pure: it is called again each time another
 * process was faster. An unchanged value is not written.
 */
export async function update<T>(
  registers: Registers,
  document: StoredDocument<T>,
  change: (current: T | null) => NoInfer<T>,
): Promise<T> {
  for (;;) {
    const current = await readTyped(registers, document);
    const next = change(current?.value ?? null);
    if (current !== null && JSON.stringify(next) === JSON.stringify(current.value)) return next;
    if ((await writeTyped(registers, document, next, current?.version ?? null)) !== null) return next;
  }
}
