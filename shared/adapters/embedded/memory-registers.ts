import type { Register, Registers } from '../../ports/registers.ts';

/** Registers in memory. A dry run keeps its rate limiter's state in them, because it must not write to the store. */
export function memoryRegisters(): Registers {
  const registers = new Map<string, Register>();
  let versions = 0;
  return {
    async read(name) {
      return registers.get(name) ?? null;
    },
    async write(name, value, expected) {
      if ((registers.get(name)?.version ?? null) !== expected) return null;
      versions += 1;
      const version = String(versions);
      registers.set(name, { name, value: structuredClone(value), version });
      return version;
    },
    async remove(name, expected) {
      return registers.get(name)?.version === expected && registers.delete(name);
    },
    async list(prefix) {
      const names = [...registers.keys()].filter((name) => name.startsWith(prefix)).sort();
      return names.flatMap((name) => registers.get(name) ?? []);
    },
  };
}
