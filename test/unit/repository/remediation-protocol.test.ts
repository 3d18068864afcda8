import { globSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const FOLDER = 'shared/app/reconciler';
const PROTOCOL = `${FOLDER}/remediate.ts`;

const SOURCES = ['shared', 'services']
  .flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx}`, { cwd: root }))
  .map((file) => ({ file, text: readFileSync(resolve(root, file), 'utf8') }));

/** Files that import `name` from `module`, or re-export it. */
function importersOf(name: string, module: string): readonly string[] {
  return SOURCES.filter(({ file, text }) => {
    const imports = text.matchAll(/(?:import|export)\s+(?:type\s+)?(\{[^}]*\}|\*[^;]*?)\s+from\s+'([^']+)'/g);
    return [...imports].some(([, names = '', specifier = '']) => {
      const target = relative(root, resolve(root, dirname(file), specifier));
      return target === module && (names.startsWith('*') || new RegExp(`\\b${name}\\b`).test(names));
    });
  }).map(({ file }) => file);
}

describe('one protocol claims, guards and makes changes', () => {
  it.each(['intentEntry', 'successEntry', 'failureEntry'])('%s', (name) => {
    expect(importersOf(name, `${FOLDER}/remediation-entries.ts`)).toEqual([`${FOLDER}/claims.ts`]);
  });

  it.each(['claim', 'close'])('%s', (name) => {
    expect(importersOf(name, `${FOLDER}/claims.ts`)).toEqual([PROTOCOL]);
  });

  it('the call', () => {
    const calling = SOURCES.filter(({ text }) => /\.prepareChange\(/.test(text)).map(({ file }) => file);
    expect(calling).toEqual([PROTOCOL]);
  });

  it('the calls for configurations, which the protocol makes', () => {
    const calling = SOURCES.filter(({ text }) => /\.prepare(?:Put|Delete)\(/.test(text)).map(({ file }) => file);
    expect(calling).toEqual([`${FOLDER}/bulk/configuration-call.ts`]);
  });

  it('the guard', () => {
    const asking = SOURCES.filter(({ text }) => /\bguard\.check\(/.test(text)).map(({ file }) => file);
    expect(asking).toEqual([PROTOCOL]);
  });
});
