import { type BundledPackage, keyOf } from './bundled.ts';

const RULE = '-'.repeat(100);

/** Asks for nothing, its text included. */
const PUBLIC_DOMAIN = 'Unlicense';

/**
 * What the licences of others ask to be given along with their work; a text that many share is there once.
 * @throws where a text is needed and neither the package nor another one under the same licence has it
 */
export function noticesOf(packages: readonly BundledPackage[]): string {
  const sharing = new Map<string, string[]>();
  for (const each of packages) {
    const text = textOf(each, packages);
    sharing.set(text, [...(sharing.get(text) ?? []), `${keyOf(each)} (${each.licence})`]);
  }
  const sections = [...sharing].map(([text, names]) => `${RULE}\n${names.join('\n')}\n${RULE}\n\n${text}\n`);
  return `Rollcall's package and dashboard contain work of others, under these licences.\n\n${sections.join('\n')}`;
}

function textOf({ name, licence, texts }: BundledPackage, packages: readonly BundledPackage[]): string {
  if (texts.length > 0) return texts.join('\n\n');
  if (licence === PUBLIC_DOMAIN) return 'In the public domain: https://unlicense.org';
  // Some of the AWS SDK's packages come without the text that the others have. Only Apache's names nobody, so only it can be borrowed.
  const [text] = packages.find((each) => each.licence === licence && each.texts.length === 1)?.texts ?? [];
  if (licence === 'Apache-2.0' && text !== undefined) return text;
  throw new Error(
    `${name} is in the bundle under the licence ${licence} and has no text of it: find it, and add it here.`,
  );
}
