import type { MarkdownRenderer } from 'vitepress';

/**
 * Where links of the pages lead that VitePress would leave as they are: `README.md` is the start of its folder, and files outside docs/ are copied
 * to the root of the site. They are no pages, so the browser loads them (`target`).
 */
export function resolveLinks(md: MarkdownRenderer): void {
  const open = md.renderer.rules.link_open;
  if (open === undefined) throw new Error('VitePress has no rule for links');
  md.renderer.rules.link_open = (tokens, index, options, env, self) => {
    const token = tokens[index];
    const href = token?.attrGet('href') ?? '';
    if (outside(href, env.relativePath)) {
      token?.attrSet('href', `/${href.replace(/^(?:\.\.\/)+/, '')}`);
      token?.attrSet('target', '_self');
      return self.renderToken(tokens, index, options);
    }
    token?.attrSet('href', href.replace(/(^|\/)README\.md(?=#|$)/, '$1index.md'));
    return open(tokens, index, options, env, self);
  };
}

/** Pages are plain Markdown: `{{` in their code is text, not an expression of Vue. */
export function keepCodeAsText(md: MarkdownRenderer): void {
  const code = md.renderer.rules.code_inline;
  if (code === undefined) throw new Error('VitePress has no rule for code');
  md.renderer.rules.code_inline = (tokens, index, ...rest) => {
    tokens[index]?.attrSet('v-pre', '');
    return code(tokens, index, ...rest);
  };
}

function outside(href: string, page: string): boolean {
  const up = href.split('../').length - 1;
  return href.startsWith('../') && up > page.split('/').length - 1;
}
