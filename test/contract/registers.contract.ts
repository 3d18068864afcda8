import fc from 'fast-check';
import { expect } from 'vitest';
import type { Register, Registers } from '../../shared/ports/registers.ts';
import { contractOf } from './contract.ts';
import { range } from './samples.ts';

async function made(registers: Registers, name: string, value: unknown): Promise<string> {
  const version = await registers.write(name, value, null);
  if (version === null) throw new Error(`${name} is there already`);
  return version;
}

/** The versions that a register had, `null` while it did not exist. The last one is the present one. */
type History = (string | null)[];

async function tryRemove(registers: Registers, name: string, expected: string, versions: History): Promise<void> {
  const fits = expected === versions.at(-1);
  expect(await registers.remove(name, expected)).toBe(fits);
  if (fits) versions.push(null);
}

async function tryWrite(registers: Registers, name: string, expected: string | null, versions: History): Promise<void> {
  const version = await registers.write(name, versions.length, expected);
  expect(version).toEqual(expected === versions.at(-1) ? expect.any(String) : null);
  if (version === null) return;
  expect(versions).not.toContain(version);
  versions.push(version);
}

export const registersContract = contractOf<Registers>()('Registers', {
  async 'a register that was never written does not exist'({ port }) {
    expect(await port.read('lease')).toBeNull();
    expect(await port.list('')).toEqual([]);
    expect(await port.remove('lease', '1')).toBe(false);
    expect(await port.write('lease', 1, '1')).toBeNull();
    expect(await port.read('lease')).toBeNull();
  },

  async 'a value is read as it was written, by this and any other client'({ port, another }) {
    const other = await another();
    const values = [{ a: [1, null, { b: 'ü "🚀"' }] }, [], 'text', 0, false, null, '', 1.5e300];
    for (const [n, value] of values.entries()) {
      const version = await made(port, `value-${n}`, value);
      expect(await other.read(`value-${n}`)).toEqual({ name: `value-${n}`, value, version });
    }
  },

  async 'a write with an unexpected version changes nothing'({ port }) {
    const first = await made(port, 'x', 1);
    expect(await port.write('x', 2, null)).toBeNull();
    expect(await port.write('x', 2, 'other')).toBeNull();
    expect(await port.read('x')).toEqual({ name: 'x', value: 1, version: first });
    const second = await port.write('x', 2, first);
    expect(second).not.toBeNull();
    expect(second).not.toBe(first);
    expect(await port.write('x', 3, first)).toBeNull();
    expect(await port.read('x')).toEqual({ name: 'x', value: 2, version: second });
  },

  async 'exactly one of several first writers wins'({ port, another }) {
    const clients = [port, await another(), await another()];
    const answers = await Promise.all(range(15).map((n) => clients[n % 3]?.write('lease', n, null)));
    const winners = range(15).filter((n) => answers[n] !== null);
    expect(winners).toHaveLength(1);
    expect((await port.read('lease'))?.value).toBe(winners[0]);
  },

  async 'exactly one of several writers over one version wins'({ port, another }) {
    const clients = [port, await another()];
    let version = await made(port, 'counter', 0);
    for (let round = 1; round <= 5; round += 1) {
      const answers = await Promise.all(range(10).map((n) => clients[n % 2]?.write('counter', round, version)));
      const won = answers.flatMap((answer) => (typeof answer === 'string' ? [answer] : []));
      expect(won).toHaveLength(1);
      version = won[0] ?? '';
    }
    expect(await port.read('counter')).toEqual({ name: 'counter', value: 5, version });
  },

  async 'a version never repeats, not even after a removal'({ port }) {
    const seen = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const first = await made(port, 'x', round);
      const second = await port.write('x', round, first);
      expect(second).not.toBeNull();
      for (const version of [first, second ?? '']) {
        expect(seen.has(version)).toBe(false);
        seen.add(version);
      }
      expect(await port.remove('x', first)).toBe(false);
      expect(await port.remove('x', second ?? '')).toBe(true);
      expect(await port.remove('x', second ?? '')).toBe(false);
      expect(await port.write('x', 'late', second)).toBeNull();
    }
  },

  async 'list returns the registers under a prefix, sorted by name, with any characters'({ port }) {
    const names = [
      'run/1',
      'run/10',
      'run/2',
      'runs',
      'run%',
      'run_x',
      'runAx',
      'rum',
      'Run/3',
      'zebra',
      'run*',
      "run'",
    ];
    for (const name of names) await made(port, name, { name });
    const under = async (prefix: string) => (await port.list(prefix)).map((register: Register) => register.name);
    expect(await under('run/')).toEqual(['run/1', 'run/10', 'run/2']);
    expect(await under('run%')).toEqual(['run%']);
    expect(await under('run_')).toEqual(['run_x']);
    expect(await under('run*')).toEqual(['run*']);
    expect(await under("run'")).toEqual(["run'"]);
    expect(await under('run/1')).toEqual(['run/1', 'run/10']);
    expect(await under('zz')).toEqual([]);
    expect(await under('')).toEqual([...names].sort());
    expect((await port.list('zebra'))[0]?.value).toEqual({ name: 'zebra' });
  },

  async 'a value without a JSON form is rejected'({ port }) {
    await expect(port.write('x', undefined, null)).rejects.toThrow(TypeError);
    await expect(port.write('x', () => 1, null)).rejects.toThrow(TypeError);
    expect(await port.read('x')).toBeNull();
  },

  async 'a register behaves as one value under compare-and-set'({ port, another }) {
    const clients = [port, await another()];
    const step = fc.record({
      remove: fc.boolean(),
      name: fc.constantFrom('a', 'b'),
      /** How many versions the writer's expectation is old. */
      lag: fc.nat(2),
      client: fc.nat(1),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        run += 1;
        const history = new Map<string, History>();
        for (const { remove, name: letter, lag, client } of steps) {
          const name = `${run}/${letter}`;
          const versions = history.get(name) ?? [null];
          history.set(name, versions);
          const expected = versions.at(-1 - lag) ?? null;
          const registers = clients[client] ?? port;
          await (remove && expected !== null
            ? tryRemove(registers, name, expected, versions)
            : tryWrite(registers, name, expected, versions));
        }
        for (const [name, versions] of history) {
          expect((await port.read(name))?.version ?? null).toBe(versions.at(-1));
        }
      }),
      { numRuns: 25 },
    );
  },
});
