import * as z from 'zod';

/** The members of the repository's `package.json` that the published one keeps. Scripts, dependencies and `private` apply only to a checkout. */
const published = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  keywords: z.array(z.string()),
  license: z.string(),
  type: z.literal('module'),
  engines: z.object({ node: z.string() }),
  repository: z
    .string()
    .regex(
      /^(?:https:\/\/[^/]+\/.+[^/])?$/,
      'package.json, repository: expected the https address of the repository without a slash at the end, or "" until there is one',
    ),
});

export interface PublishedManifest {
  /** `null`: the owner has not filled it in. */
  readonly repository: string | null;
  /** The tag of this release, which `npm version` sets. */
  readonly tag: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * Makes the manifest of the npm package from that of the checkout. `repository` of the checkout's `package.json` is the one place that names where the
 * project is: homepage, bugs and the links of the packed README follow from it.
 * @param files of the package, beside those that npm always packs
 * @throws ZodError if a member is missing or malformed
 */
export function publishedManifest(manifest: unknown, files: readonly string[]): PublishedManifest {
  const { repository, ...kept } = published.parse(manifest);
  const address = repository.replace(/\.git$/, '');
  const about =
    address === ''
      ? {}
      : {
          homepage: `${address}#readme`,
          bugs: { url: `${address}/issues` },
          repository: { type: 'git', url: `git+${address}.git` },
        };
  return {
    repository: address === '' ? null : address,
    tag: `v${kept.version}`,
    document: { ...kept, ...about, bin: { rollcall: 'bin.mjs' }, files },
  };
}
