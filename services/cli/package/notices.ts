import { type BundledPackage, keyOf } from './bundled.ts';

const RULE = '-'.repeat(100);

const MIT_0 = `MIT No Attribution

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** Texts for packages that come without one, under licences that do not ask to keep a notice. */
const WITHOUT_NOTICE: ReadonlyMap<string, string> = new Map([
  ['Unlicense', 'In the public domain: https://unlicense.org'],
  ['MIT-0', MIT_0],
]);

/**
 * The licence texts that have to accompany the packages; a text that several packages share appears once.
 * @throws where a text is needed and neither the package nor another one under the same licence has it
 */
export function noticesOf(packages: readonly BundledPackage[]): string {
  const sharing = new Map<string, string[]>();
  for (const each of packages) {
    const text = textOf(each, packages);
    sharing.set(text, [...(sharing.get(text) ?? []), `${keyOf(each)} (${each.licence})`]);
  }
  const sections = [...sharing].map(([text, names]) => `${RULE}\n${names.join('\n')}\n${RULE}\n\n${text}\n`);
  return `Rollcall contains these third-party packages, under these licences.\n\n${sections.join('\n')}`;
}

function textOf({ name, licence, texts }: BundledPackage, packages: readonly BundledPackage[]): string {
  if (texts.length > 0) return texts.join('\n\n');
  const own = WITHOUT_NOTICE.get(licence);
  if (own !== undefined) return own;
  // Some of the AWS SDK's packages come without the text that the others have. Only Apache's names nobody, so only it can be borrowed.
  const [text] = packages.find((each) => each.licence === licence && each.texts.length === 1)?.texts ?? [];
  if (licence === 'Apache-2.0' && text !== undefined) return text;
  throw new Error(
    `${name} is in the bundle under the licence ${licence} and has no text of it: find it, and add it here.`,
  );
}
