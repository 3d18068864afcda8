import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from '../../../services/cli/program.ts';

const root = resolve(import.meta.dirname, '../../..');
const PAGES = globSync(['*.md', 'docs/**/*.md', 'services/*/README.md'], { cwd: root }).sort();
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** As GitHub makes the anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

/** What `--help` says of a command; of one that there is not, that. */
function helpOf(command: readonly string[]): string {
  let told = '';
  const tell = (text: string): void => {
    told += text;
  };
  try {
    parse([...command, '--help'], { write: tell, note: tell });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) return '';
  }
  return told;
}

const GROUPS = new Set(['audit', 'dlq', 'policy']);
const CALL = /(?:npm run (?:--silent )?rollcall -- |(?:^|[`"(])rollcall )([a-z][^`\n#]*)/gm;

describe('the documentation', () => {
  it.each(PAGES)('%s leads nowhere that is not there', (page) => {
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

  it('names commands and options that there are', () => {
    let looked = 0;
    for (const page of PAGES) {
      for (const [, call = ''] of read(page).matchAll(CALL)) {
        const [name = '', second = ''] = call.split(/[\s,;.:)]+/);
        const command = GROUPS.has(name) && /^[a-z]+(-[a-z]+)?$/.test(second) ? [name, second] : [name];
        const help = helpOf(command);
        expect(help, `${page}: rollcall ${call}`).toContain(`Usage: rollcall ${command.join(' ')}`);
        for (const [option] of call.matchAll(/--[a-z-]+/g)) {
          expect(help, `${page}: rollcall ${call}`).toContain(option);
          looked += 1;
        }
      }
    }
    expect(looked).toBeGreaterThan(30);
  });
});
