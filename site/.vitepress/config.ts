import { defineConfig } from 'vitepress';
import { keepCodeAsText, resolveLinks } from './markdown.ts';
import { sidebar } from './sidebar.ts';

/** The site of `docs/`: built without network by `npm run docs:site`, with a search that runs in the browser. */
// biome-ignore lint/style/noDefaultExport: VitePress reads the default export
export default defineConfig({
  title: 'Rollcall',
  description: 'Keeps every account of an AWS Organization enrolled as your policy declares',
  srcDir: 'pages',
  srcExclude: ['generate/**', 'public/**'],
  outDir: '../dist/site',
  cacheDir: '../node_modules/.cache/docs-site',
  cleanUrls: true,
  rewrites: { 'README.md': 'index.md', 'decisions/README.md': 'decisions/index.md' },
  markdown: {
    // `{id}` at the end of a heading is text, too.
    attrs: { disable: true },
    // Anchors as on GitHub, which the links in the pages use.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
          .replaceAll(' ', '-'),
    },
    config: (md) => {
      keepCodeAsText(md);
      resolveLinks(md);
    },
  },
  themeConfig: {
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
