import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/*
 * Checks the built site: every link to a page or file of the site leads somewhere, and no template is left in a page. VitePress checks links before it
 * rewrites them, and not the links that leave docs/.
 */
const site = resolve(import.meta.dirname, '../dist/site');
const faults = [];

for (const page of readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))) {
  const html = readFileSync(join(site, page), 'utf8');
  for (const [, href] of html.matchAll(/<a\b[^>]*\shref="([^"#?]+)[^"]*"/g)) {
    if (/^[a-z]+:/.test(href)) continue;
    const path = href.startsWith('/') ? join(site, href) : resolve(site, dirname(page), href);
    const files = href.endsWith('/') ? [join(path, 'index.html')] : [path, `${path}.html`];
    if (!files.some((file) => existsSync(file))) faults.push(`${page}: ${href} leads nowhere`);
  }
  const text = html.replaceAll(/<(pre|code|script)\b.*?<\/\1>/gs, '');
  for (const [template] of text.matchAll(/\{\{[^}]*\}\}/g)) faults.push(`${page}: ${template} is not replaced`);
}

if (faults.length > 0) {
  process.stderr.write(`${faults.join('\n')}\n${faults.length} faults in dist/site\n`);
  process.exitCode = 1;
}
