import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { BROWSER_BUNDLE } from '../dashboard/build.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BROWSER = 'services/verifier/browser';

interface VerifierPage {
  /** One HTML file that needs nothing else. */
  readonly html: Uint8Array;
  /** Inputs and outputs of the bundle; paths are relative to the repository. */
  readonly metafile: Metafile;
}

/** The domain takes hashes and signatures from one module, which needs Node. */
const browserCrypto: Plugin = {
  name: 'browser-crypto',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]shared[\\/]domain[\\/]crypto\.ts$/ }, () => ({
      contents: `export * from ${JSON.stringify(join(ROOT, BROWSER, 'crypto.ts'))};`,
      loader: 'ts',
    }));
  },
};

export async function buildVerifier(): Promise<VerifierPage> {
  const { outputFiles, metafile } = await build({
    entryPoints: { app: `${BROWSER}/main.tsx`, style: `${BROWSER}/style.css` },
    ...BROWSER_BUNDLE,
    // Other characters than ASCII would depend on how the file is served.
    charset: 'ascii',
    plugins: [browserCrypto],
  });
  const textOf = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  const [script, style] = [textOf('.js'), textOf('.css')];
  const template = await readFile(join(ROOT, BROWSER, 'index.html'), 'utf8');
  // Functions, because replacement texts have special patterns.
  const html = template
    .replace('PAGE_POLICY', () => policyOf(script, style))
    .replace('/* PAGE_STYLE */', () => style)
    .replace('PAGE_SCRIPT', () => script);
  return { html: new TextEncoder().encode(html), metafile };
}

/** The page loads nothing and sends nothing: only its own script and style may run. */
function policyOf(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
