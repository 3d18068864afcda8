import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SCHEMAS } from '../../../docs/generate/stored-documents.ts';
import { REGISTERS, registerInfo } from '../../../shared/app/coordination/documents.ts';
import { OTHER_DOCUMENTS } from '../../../shared/app/coordination/other-documents.ts';
import { storedRegisters } from '../../golden/stored.ts';

const root = resolve(import.meta.dirname, '../../..');
const sources = globSync(['shared/app/**/*.ts', 'shared/compose/**/*.ts', 'services/*/**/*.ts'], { cwd: root });
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Registers that later versions added. */
const LATER: readonly string[] = [
  ...['log-bundle/', 'log-chain/', 'log-runs/', 'log-tile/', 'log-witness/', 'applied-plan/'],
  ...['approvals-until', 'configurations', 'run-stops', 'verification', 'log', 'log-checkpoint'],
];

describe('the catalogue of stored documents', () => {
  it('names each register once, with the one file that owns it', () => {
    for (const [id, { name, owner }] of Object.entries(REGISTERS)) {
      expect(registerInfo(name.endsWith('/') ? `${name}x` : name)?.name, id).toBe(name);
      const users = sources.filter((file) => read(file).includes(`REGISTERS.${id},`));
      expect(users, id).toEqual([`shared/app/${owner}.ts`]);
    }
  });

  it('names files that exist as the owners of other documents', () => {
    const missing = OTHER_DOCUMENTS.filter(({ owner }) => !existsSync(join(root, `shared/${owner}.ts`)));
    expect(missing).toEqual([]);
  });

  it('is the only way to write a register', () => {
    const writers = sources.filter((file) => /registers\.write\(/i.test(read(file)));
    expect(writers).toEqual(['shared/app/coordination/typed-register.ts']);
    const elsewhere = sources.filter((file) => /registers\.(?:read|list|remove)\(\s*['"`]/.test(read(file)));
    expect(elsewhere).toEqual([]);
  });

  it('has every register that version 0.1.0 stored, in a shape that is still read', () => {
    for (const [name, value] of storedRegisters) {
      const schema = SCHEMAS.get(registerInfo(name)?.name ?? '');
      expect(schema?.safeParse(value).success, name).toBe(true);
    }
    const stored = new Set([...storedRegisters.keys()].map((name) => registerInfo(name)?.name));
    expect([...SCHEMAS.keys()].filter((name) => !stored.has(name))).toEqual(LATER);
  });
});
