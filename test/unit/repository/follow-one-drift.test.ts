import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');

interface Named {
  readonly file: string;
  /** The functions that the section names after the file. */
  readonly functions: readonly string[];
}

/** The files that the section names, in its order. */
function namedFiles(): readonly Named[] {
  const [, section = ''] = readFileSync(join(root, 'docs/explanation/architecture.md'), 'utf8').split(
    '## Follow one drift\n',
  );
  const steps = section.slice(section.indexOf('\n1. '), section.indexOf('\n## '));
  const named: { file: string; functions: string[] }[] = [];
  for (const [, code = ''] of steps.matchAll(/`([^`]+)`/g)) {
    const last = named.at(-1);
    if (code.endsWith('.ts'))
      named.push({ file: code.includes('/') ? code : join(dirname(last?.file ?? ''), code), functions: [] });
    else if (/^[a-z]\w*$/.test(code)) last?.functions.push(code);
  }
  return named;
}

describe('"Follow one drift" in docs/explanation/architecture.md', () => {
  const named = namedFiles();

  it('names files that exist, and functions that are in them', () => {
    expect(named.length).toBeGreaterThan(10);
    for (const { file, functions } of named) {
      expect(existsSync(join(root, file)), file).toBe(true);
      const text = readFileSync(join(root, file), 'utf8');
      for (const name of functions) expect(text, file).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });

  it('needs at most 12 folders, and returns to none of them more than once', () => {
    const folders = named.map(({ file }) => dirname(file)).filter((folder, at, all) => folder !== all[at - 1]);
    const entries = Map.groupBy(folders, (folder) => folder);
    expect(entries.size).toBeLessThanOrEqual(12);
    expect([...entries].filter(([, times]) => times.length > 2)).toEqual([]);
  });
});
