import { defineConfig } from 'vitepress';
import { sidebar } from './sidebar.ts';

/** The site of `docs/`: built without network by `npm run docs:site`, with a search that runs in the browser. */
// biome-ignore lint/style/noDefaultExport: VitePress reads the default export
export default defineConfig({
  title: 'Rollcall',
  description: 'Keeps every account of an AWS Organization enrolled as your policy declares',
  srcDir: 'pages',
  srcExclude: ['generate/**'],
  outDir: '../dist/site',
  cacheDir: '../node_modules/.cache/docs-site',
  cleanUrls: true,
  rewrites: { 'README.md': 'index.md', 'decisions/README.md': 'decisions/index.md' },
  // Links to files outside docs/, such as the examples, lead to the repository and are checked by test/unit/repository/docs.test.ts.
  ignoreDeadLinks: [/^(?:\.\/)?(?:\.\.\/)+/],
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
  },
  // Pages are plain Markdown: `{{` in them is text, not an expression of Vue.
  vue: { template: { compilerOptions: { delimiters: ['[[[', ']]]'] } } },
  themeConfig: {
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
