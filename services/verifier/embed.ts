import type { Metafile, Plugin } from 'esbuild';
import { buildVerifier } from './build.ts';

/** For bundles: replaces the module that builds the page with the built file, and lists its inputs in the bundle's metafile. */
export const embedVerifier: Plugin = {
  name: 'embed-verifier',
  setup({ onEnd, onLoad }) {
    let embedded: Metafile | undefined;
    onLoad({ filter: /[\\/]services[\\/]verifier[\\/]page\.ts$/ }, async () => {
      const { html, metafile } = await buildVerifier();
      embedded = metafile;
      const contents = `const page = ${JSON.stringify(Buffer.from(html).toString('utf8'))};
export async function verifierPage() {
  return new TextEncoder().encode(page);
}
`;
      return { contents, loader: 'js' };
    });
    onEnd(({ metafile }) => {
      if (metafile === undefined || embedded === undefined) return;
      Object.assign(metafile.inputs, embedded.inputs);
      Object.assign(metafile.outputs, embedded.outputs);
    });
  },
};
