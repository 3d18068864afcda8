import { posix } from 'node:path';

/** Where the links of a packed document lead. */
export interface LinkTargets {
  /** The repository's address, without a slash at the end; `null`: the owner has not filled it in. */
  readonly repository: string | null;
  /** The tag of this release. */
  readonly tag: string;
  /** Whether the package contains a file of the repository. */
  readonly isPacked: (path: string) => boolean;
  /** The folder of the document; default: the root of the repository. */
  readonly folder?: string;
}

const FENCE = /^```[\s\S]*?^```$/gm;
const PICTURE_BLOCK = /^<picture>[\s\S]*?^<\/picture>\n\n?/gm;
const PICTURE = /^!\[[^\]]*\]\(([^)\s]+)\)\n\n?/gm;
const LINK = /\[([^\]]+)\]\(([^)\s]+)\)/g;
const TITLE = /^# .*\n\n/;
const ELSEWHERE =
  'The documentation is in the folder `docs` of the repository, not in this package; `rollcall help` lists the commands.\n\n';
const SOURCE = /\b(src|srcset)="([^"]+)"/g;

/** A page of the documentation in a comment or a description. */
const PAGE = /(?<![\w./:-])docs\/[\w-]+\/[\w-]+\.md(?:#[\w-]+)?/g;
/** The value of `runbook_url` is a link, so words cannot follow the path. */
const RUNBOOK = /runbook_url: $/;

/**
 * Makes the documentation pages that a template names findable outside the repository. If the address of the repository is known, they become links to the
 * pages of this release, otherwise paths "of the Rollcall repository".
 */
export function packedPaths(template: string, { repository, tag }: Pick<LinkTargets, 'repository' | 'tag'>): string {
  return template.replaceAll(PAGE, (page: string, at: number) => {
    if (repository !== null) return `${repository}/blob/${tag}/${page}`;
    return RUNBOOK.test(template.slice(0, at)) ? page : `${page} of the Rollcall repository`;
  });
}

/**
 * Makes the links of a Markdown document work outside the repository. With an address, they become absolute, to the file of
 * this release. Without one, a link to a file that is not in the package becomes plain text, a picture is left out, and a sentence below the title
 * says where these files are. Code blocks stay as they are.
 */
export function packedLinks(markdown: string, targets: LinkTargets): string {
  let packed = '';
  let from = 0;
  for (const { index, 0: block } of markdown.matchAll(FENCE)) {
    packed += proseLinks(markdown.slice(from, index), targets) + block;
    from = index + block.length;
  }
  packed += proseLinks(markdown.slice(from), targets);
  return targets.repository === null ? packed.replace(TITLE, `$&${ELSEWHERE}`) : packed;
}

function proseLinks(markdown: string, { repository, tag, isPacked, folder = '.' }: LinkTargets): string {
  const inRepository = (target: string): string => posix.join(folder, target);
  if (repository === null) {
    return markdown
      .replaceAll(PICTURE_BLOCK, '')
      .replaceAll(PICTURE, (whole, target: string) => (isRelative(target) ? '' : whole))
      .replaceAll(LINK, (whole, text: string, target: string) =>
        isRelative(target) && !isPacked(pathOf(inRepository(target))) ? text : whole,
      );
  }
  const page = (target: string): string => `${repository}/blob/${tag}/${inRepository(target)}`;
  const file = (target: string): string => `${repository}/raw/${tag}/${inRepository(target)}`;
  return markdown
    .replaceAll(SOURCE, (whole, name: string, target: string) =>
      isRelative(target) ? `${name}="${file(target)}"` : whole,
    )
    .replaceAll(PICTURE, (whole, target: string) =>
      isRelative(target) ? whole.replace(`(${target})`, `(${file(target)})`) : whole,
    )
    .replaceAll(LINK, (whole, text: string, target: string) =>
      isRelative(target) ? `[${text}](${page(target)})` : whole,
    );
}

/** A link to a file: neither an address nor a heading of the same document. */
function isRelative(target: string): boolean {
  return !/^(?:[a-z]+:|#|\/)/i.test(target);
}

function pathOf(target: string): string {
  return posix.normalize(target.replace(/#.*$/, '')).replace(/\/$/, '');
}
