import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { type BuildOptions, build, type Metafile, type OutputFile } from 'esbuild';

/** One file of the dashboard, ready to be sent. `etag` includes the quotes; without `encoding` the body is not compressed. */
export interface DashboardFile {
  readonly body: Uint8Array;
  readonly type: string;
  readonly etag: string;
  readonly encoding?: 'br' | 'gzip';
}

const ROOT = resolve(import.meta.dirname, '../..');
const BROWSER = 'services/dashboard/browser';

interface Dashboard {
  /**
   * Files by request path. `/` is the page; the names of the other files contain a hash of their content, so they never change. They work under
   * `default-src 'self'`: no inline scripts or styles, no `data:` addresses, nothing from other origins.
   */
  readonly files: ReadonlyMap<string, DashboardFile>;
  /** Inputs and outputs of the bundle; paths are relative to the repository. */
  readonly metafile: Metafile;
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.html', 'text/html; charset=utf-8'],
]);

export async function buildDashboard(): Promise<Dashboard> {
  const { outputFiles, metafile } = await bundleDashboard();
  const files = new Map<string, DashboardFile>();
  for (const { path, contents } of outputFiles) files.set(pathOf(path), await fileOf(path, contents));
  const template = await readFile(join(ROOT, BROWSER, 'index.html'), 'utf8');
  const script = outputOf(metafile, outputFiles, 'main.tsx');
  const style = outputOf(metafile, outputFiles, 'style.css');
  const page = template.replace('APP_SCRIPT', script).replace('APP_STYLE', style);
  files.set('/icon.svg', await fileOf('icon.svg', await readFile(join(ROOT, BROWSER, 'icon.svg'))));
  files.set('/', await fileOf('index.html', new TextEncoder().encode(page)));
  return { files, metafile };
}

/** How the pages of the dashboard and of the auditor are bundled for a browser. */
export const BROWSER_BUNDLE = {
  absWorkingDir: ROOT,
  outdir: '/',
  write: false,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  metafile: true,
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'silent',
} as const satisfies BuildOptions;

/** The script and the style sheet. */
function bundleDashboard() {
  return build({
    entryPoints: { app: `${BROWSER}/main.tsx`, style: `${BROWSER}/style.css` },
    ...BROWSER_BUNDLE,
    publicPath: '/',
    entryNames: 'assets/[name]-[hash]',
  });
}

/** esbuild names outputs by an absolute path, whose form depends on the operating system. */
function pathOf(path: string): string {
  return `/assets/${basename(path)}`;
}

function outputOf({ outputs }: Metafile, files: readonly OutputFile[], entry: string): string {
  const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === `${BROWSER}/${entry}`)?.[0];
  const file = files.find(({ path }) => found !== undefined && basename(path) === basename(found));
  if (file === undefined) throw new Error(`the bundle has no output for ${entry}`);
  return pathOf(file.path);
}

const compress = promisify(brotliCompress);

async function fileOf(path: string, contents: Uint8Array): Promise<DashboardFile> {
  const type = TYPES.get(path.slice(path.lastIndexOf('.')));
  if (type === undefined) throw new Error(`no content type is known for ${path}`);
  const etag = `"${createHash('sha256').update(contents).digest('base64url').slice(0, 22)}"`;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: contents.length };
  const body = await compress(contents, { params });
  return body.length < contents.length ? { body, type, etag, encoding: 'br' } : { body: contents, type, etag };
}
