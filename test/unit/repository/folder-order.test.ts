import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');

/** The use cases of `shared/app`, top to bottom: a folder imports only folders of a lower level. Type imports count. */
const APP_ORDER: readonly (readonly string[])[] = [
  ['runtime'],
  ['reconciler', 'queries'],
  ['scan'],
  ['rollout'],
  ['events', 'operator'],
  ['work-queue'],
  ['plan'],
  ['survey'],
  ['schedule'],
  ['doctor'],
  ['guardrails'],
  ['transparency'],
  ['ledger', 'rate-limiter', 'notifications'],
  ['coordination'],
  ['support'],
  ['context.ts'],
];

const SOURCES = execFileSync('git', ['ls-files', '--', 'shared', 'services', 'infra', 'test'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file));

const SPECIFIER = /(?:\bfrom|\bimport\(?)\s*'(\.[^']+)'/g;

/** Every relative import of a file, type imports included, as paths from the root. */
function importsOf(file: string): readonly string[] {
  const source = readFileSync(join(root, file), 'utf8');
  return [...source.matchAll(SPECIFIER)].map(([, specifier = '']) => normalize(join(dirname(file), specifier)));
}

const GRAPH: ReadonlyMap<string, readonly string[]> = new Map(SOURCES.map((file) => [file, importsOf(file)]));

const partOf = (file: string, folder: string): string | null =>
  file.startsWith(`${folder}/`) ? (file.slice(folder.length + 1).split('/')[0] ?? null) : null;

/** Imports from one part of `folder` to another, as `importing file -> imported file`. */
function crossings(folder: string, allowed: (from: string, to: string) => boolean): string[] {
  const found: string[] = [];
  for (const [file, imports] of GRAPH) {
    const from = partOf(file, folder);
    for (const imported of from === null ? [] : imports) {
      const to = partOf(imported, folder);
      if (from !== null && to !== null && from !== to && !allowed(from, to)) found.push(`${file} -> ${imported}`);
    }
  }
  return found;
}

/** Groups of files that import each other, directly or through others (Tarjan's strongly connected components). */
function circles(): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    stack.push(file);
    let lowest = index;
    for (const imported of GRAPH.get(file) ?? []) {
      if (!GRAPH.has(imported)) continue;
      if (!order.has(imported)) lowest = Math.min(lowest, visit(imported));
      else if (stack.includes(imported)) lowest = Math.min(lowest, low.get(imported) ?? order.get(imported) ?? lowest);
      low.set(file, lowest);
    }
    if (lowest === index) {
      const circle = stack.splice(stack.indexOf(file));
      if (circle.length > 1) found.push(circle.sort());
    }
    return lowest;
  };
  for (const file of GRAPH.keys()) if (/^(shared|services)\//.test(file) && !order.has(file)) visit(file);
  return found;
}

const MOST_LINES = 300;

const linesOf = (file: string): number => readFileSync(join(root, file), 'utf8').split('\n').length - 1;

describe('the size of files', () => {
  it(`no TypeScript file has more than ${MOST_LINES} lines`, () => {
    const files = execFileSync('git', ['ls-files', '--', '*.ts', '*.tsx'], { cwd: root, encoding: 'utf8' });
    const long = files.split('\n').filter((file) => file !== '' && linesOf(file) > MOST_LINES);
    expect(long).toEqual([]);
  });
});

const LAYERS = ['shared/app', 'shared/domain', 'shared/ports', 'shared/adapters', 'shared/compose', 'shared/config'];

/** Folders that a newcomer meets on the way from the root to a file, except inner parts of the services. */
function foldersWithReadme(): readonly string[] {
  const folders = new Set<string>(['services']);
  for (const file of SOURCES) {
    const parts = file.split('/').slice(0, -1);
    if (parts[0] === 'services' && parts.length > 1) folders.add(parts.slice(0, 2).join('/'));
    const layer = parts.slice(0, 2).join('/');
    if (LAYERS.includes(layer)) folders.add(parts.slice(0, 3).join('/')).add(layer);
  }
  return [...folders].sort();
}

describe('README files of folders', () => {
  it.each(foldersWithReadme())(
    '%s says in at most 15 lines what it promises, where to start and what it may import',
    (folder) => {
      const lines = readFileSync(join(root, folder, 'README.md'), 'utf8')
        .trimEnd()
        .split('\n');
      expect(lines.length).toBeLessThanOrEqual(15);
      expect(lines[0]).toMatch(/^# \S/);
      expect(lines.join('\n')).toMatch(/^Start reading here:$/m);
      expect(lines.join('\n')).toMatch(/^May import: /m);
    },
  );

  it.each(foldersWithReadme())('%s: the files that its README names exist', (folder) => {
    const links = [...readFileSync(join(root, folder, 'README.md'), 'utf8').matchAll(/\]\(([^)]+)\)/g)];
    expect(links.length).toBeGreaterThan(0);
    expect(links.map(([, link = '']) => link).filter((link) => !existsSync(join(root, folder, link)))).toEqual([]);
  });
});

describe('the order of folders', () => {
  it('reads real imports, so that none of the checks below is empty', () => {
    expect(SOURCES.length).toBeGreaterThan(500);
    expect([...GRAPH.values()].flat().length).toBeGreaterThan(2_000);
  });

  it('shared/app directly contains only context.ts', () => {
    const flat = SOURCES.filter((file) => /^shared\/app\/[^/]+$/.test(file));
    expect(flat).toEqual(['shared/app/context.ts']);
  });

  it('every folder of shared/app has a place in the order', () => {
    const parts = new Set(SOURCES.flatMap((file) => partOf(file, 'shared/app') ?? []));
    expect([...parts].sort()).toEqual(APP_ORDER.flat().sort());
  });

  it('a folder of shared/app imports only folders below it', () => {
    const levelOf = (part: string): number => APP_ORDER.findIndex((level) => level.includes(part));
    expect(crossings('shared/app', (from, to) => levelOf(from) < levelOf(to))).toEqual([]);
  });

  it('no adapter imports a sibling', () => {
    // Files that lie directly in shared/adapters belong to no adapter.
    expect(crossings('shared/adapters', (_from, to) => to.endsWith('.ts'))).toEqual([]);
  });

  it('no files of shared and services import each other in a circle', () => {
    expect(circles()).toEqual([]);
  });
});
