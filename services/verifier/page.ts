/**
 * `verify.html`. When run from the sources, it is built in a fraction of a second. In a bundle, `embedVerifier` replaces this module with the
 * built file, so no bundler is needed at run time.
 */
export async function verifierPage(): Promise<Uint8Array> {
  const { buildVerifier } = await import('./build.ts');
  return (await buildVerifier()).html;
}
