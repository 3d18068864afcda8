import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from '../../../services/cli/program.ts';

const root = resolve(import.meta.dirname, '../../..');
const PAGES = globSync(['*.md', '.github/**/*.md', '{docs,services,shared,test}/**/*.md'], { cwd: root }).sort();
const SOURCES = globSync('{services,shared,infra,test,lint}/**/*.{ts,tsx,mjs,cjs,yml,grit}', { cwd: root }).sort();
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** As GitHub makes the anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

/** What `--help` prints for a command; nothing for an unknown one. */
function helpOf(command: readonly string[]): string {
  let told = '';
  const tell = (text: string): void => {
    told += text;
  };
  try {
    parse([...command, '--help'], { write: tell });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) return '';
  }
  return told;
}

/** The files of this repository that a text names. A path in a comment may leave out `shared/`. */
const FILE =
  /(?<![\w./@-])(?:shared|services|infra|test|docs|lint|examples|app|domain|adapters|compose)\/[\w./-]*\.(?:tsx?|mjs|cjs|md|json|ya?ml|grit)\b/g;
/** `NAME` stands for a name. */
const isReal = (path: string): boolean => !/NAME|\.\.\./.test(path);
const FOLDER = /`((?:shared|services|infra|test|docs|examples)\/[\w/-]+)`/g;
const filesIn = (text: string): readonly string[] => [...text.matchAll(FILE)].map(([path]) => path).filter(isReal);
const commentsOf = (source: string): string =>
  source
    .split('\n')
    .filter((line) => /^\s*(\*|\/\/|\/\*|#)/.test(line))
    .join('\n');

const GROUPS = new Set(['audit', 'dlq', 'policy']);
const CALL = /(?:npm run (?:--silent )?rollcall -- |(?:^|[`"(])rollcall )([a-z][^`\n#]*)/gm;

describe('the documentation', () => {
  it.each(PAGES)('%s has no broken link', (page) => {
    for (const [, link = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      expect(existsSync(join(root, target)), link).toBe(true);
      if (anchor === undefined) continue;
      const anchors = [...read(target).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
      expect(anchors, link).toContain(anchor);
    }
  });

  it('has every page on its map, docs/README.md', () => {
    const map = read('docs/README.md') + read('docs/decisions/README.md').replaceAll('](', '](decisions/');
    const pages = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
    expect(pages.filter((page) => !map.includes(`](${page.slice('docs/'.length)})`))).toEqual([]);
  });

  // The changelog also names files that were removed.
  it.each(PAGES.filter((page) => page !== 'CHANGELOG.md'))('%s names only files and folders that exist', (page) => {
    const folders = [...read(page).matchAll(FOLDER)].map(([, path = '']) => path).filter(isReal);
    const named = [...filesIn(read(page)), ...folders];
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('is cited correctly by the sources: every file exists, every invariant has an entry', () => {
    const section = read('docs/explanation/architecture.md')
      .split(/^## /m)
      .find((each) => each.startsWith('Invariants'));
    const known = [...(section ?? '').matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number));
    expect(known).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const faults: string[] = [];
    let cited = 0;
    for (const source of SOURCES) {
      const comments = commentsOf(read(source));
      for (const path of filesIn(comments)) {
        cited += 1;
        if (!existsSync(join(root, path)) && !existsSync(join(root, 'shared', path))) faults.push(`${source}: ${path}`);
      }
      for (const [, numbers = ''] of read(source).matchAll(/\binvariants? (\d[\d, and]*)/gi)) {
        cited += 1;
        const unknown = (numbers.match(/\d+/g) ?? []).filter((number) => !known.includes(Number(number)));
        faults.push(...unknown.map((number) => `${source}: invariant ${number}`));
      }
    }
    expect(faults).toEqual([]);
    expect(cited).toBeGreaterThan(60);
  });

  it('names commands and options that exist', () => {
    const optionsOfEveryCommand = helpOf([]);
    let looked = 0;
    for (const page of PAGES) {
      for (const [, call = ''] of read(page).matchAll(CALL)) {
        const [name = '', second = ''] = call.split(/[\s,;.:)]+/);
        const command = GROUPS.has(name) && /^[a-z]+(-[a-z]+)?$/.test(second) ? [name, second] : [name];
        const help = helpOf(command);
        expect(help, `${page}: rollcall ${call}`).toContain(`Usage: rollcall ${command.join(' ')}`);
        const options = help + optionsOfEveryCommand;
        for (const [option] of call.matchAll(/--[a-z-]+/g)) {
          expect(options, `${page}: rollcall ${call}`).toContain(option);
          looked += 1;
        }
      }
    }
    expect(looked).toBeGreaterThan(30);
  });
});
