import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { update } from '../../../../shared/app/coordination/typed-register.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';

const document = { name: 'it', schema: z.object({ n: z.number() }) };

function counted(): { readonly registers: Registers; readonly writes: string[] } {
  const registers = memoryRegisters();
  const writes: string[] = [];
  const write: Registers['write'] = (name, value, expected) => {
    writes.push(JSON.stringify(value));
    return registers.write(name, value, expected);
  };
  return { registers: { ...registers, write }, writes };
}

describe('an update of a register', () => {
  it('is written only when it changes something', async () => {
    const { registers, writes } = counted();
    const next = (n: number) => update(registers, document, () => ({ n }));
    expect([await next(1), await next(1), await next(2), await next(1)]).toEqual([1, 1, 2, 1].map((n) => ({ n })));
    expect(writes).toEqual(['{"n":1}', '{"n":2}', '{"n":1}']);
  });

  it('is not lost when many run concurrently', async () => {
    const { registers } = counted();
    await Promise.all(
      Array.from({ length: 20 }, () => update(registers, document, (now) => ({ n: (now?.n ?? 0) + 1 }))),
    );
    expect((await registers.read('it'))?.value).toEqual({ n: 20 });
  });
});
