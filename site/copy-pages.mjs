import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const site = import.meta.dirname;
const root = resolve(site, '..');
const docs = join(root, 'docs');
const pages = join(site, 'pages');

// VitePress serves the files in `public` as they are. Files outside docs/ that a page links to, such as the examples, go there.
rmSync(pages, { recursive: true, force: true });
cpSync(docs, pages, { recursive: true });
for (const page of readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))) {
  for (const [, link] of readFileSync(join(docs, page), 'utf8').matchAll(/\]\(((?:\.\.\/)+[^)#]+)/g)) {
    const target = relative(root, resolve(docs, dirname(page), link));
    if (!target.startsWith('docs/')) cpSync(join(root, target), join(pages, 'public', target), { recursive: true });
  }
}
