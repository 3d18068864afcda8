import { readFileSync } from 'node:fs';

const docs = new URL('../../docs/', import.meta.url);

/** The navigation of the site: the sections and links of docs/README.md, in its order. */
export const sidebar = readFileSync(new URL('README.md', docs), 'utf8')
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [text = '', ...lines] = section.split('\n');
    return { text, items: linksIn(lines.join('\n')) };
  });

/** The first letter of a link's text can be small in a sentence of the map. */
function linksIn(text: string) {
  return [...text.matchAll(/\[([^\]]+)\]\(([^)]+)\.md\)/g)].map(([, label = '', path = '']) => ({
    text: label.charAt(0).toUpperCase() + label.slice(1),
    link: `/${path.replace(/README$/, '')}`,
  }));
}
