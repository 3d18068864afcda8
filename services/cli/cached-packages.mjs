import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/*
 * Only for a checkout. zod and yaml have 170 files, which take longer to load than a short command takes to run, so each is bundled into one
 * file of the cache. The first line of the file names the package's files and has the digest of their contents and of the bundle: a changed
 * package and a damaged bundle are noticed at every start. Without a usable bundle, Node loads the package itself.
 */

/** The entry points of the packages, in `node_modules`. */
const ENTRIES = { zod: 'zod/index.js', yaml: 'yaml/browser/index.js' };

const root = join(import.meta.dirname, '../..');

/** @param {string} cache directory of the bundles */
export function useCachedPackages(cache) {
  const found = new Map();
  registerHooks({
    resolve(specifier, context, next) {
      if (!Object.hasOwn(ENTRIES, specifier)) return next(specifier, context);
      if (!found.has(specifier))
        found.set(specifier, cachedBundle(join(cache, `${specifier}.mjs`), ENTRIES[specifier]));
      const file = found.get(specifier);
      if (file === null) return next(specifier, context);
      return { url: pathToFileURL(file).href, format: 'module', shortCircuit: true };
    },
  });
}

/** @returns the file with an up-to-date bundle of the package; `null` if there is none and it cannot be made */
function cachedBundle(file, entry) {
  try {
    return isCurrent(file) || make(file, entry) ? file : null;
  } catch {
    // esbuild is not installed, the disk is full, or the file belongs to another user.
    return null;
  }
}

function isCurrent(file) {
  try {
    const bytes = readFileSync(file);
    const end = bytes.indexOf('\n');
    const { inputs, digest } = JSON.parse(bytes.toString('utf8', '// '.length, end));
    return digest === digestOf(inputs, bytes.subarray(end + 1));
  } catch {
    return false;
  }
}

function make(file, entry) {
  const draft = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  try {
    // Written first, so that a directory that is not writable is noticed before the slow bundling.
    writeFileSync(draft, '');
    const { buildSync } = createRequire(import.meta.url)('esbuild');
    const { metafile, outputFiles } = buildSync({
      entryPoints: [join(root, 'node_modules', entry)],
      absWorkingDir: root,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      write: false,
      metafile: true,
      outdir: root,
      logLevel: 'silent',
    });
    const inputs = Object.keys(metafile.inputs);
    const [{ contents }] = outputFiles;
    const head = `// ${JSON.stringify({ inputs, digest: digestOf(inputs, contents) })}\n`;
    writeFileSync(draft, Buffer.concat([Buffer.from(head), contents]));
    renameSync(draft, file);
    return true;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The digest of the files of a package and of its bundle. @throws if a file is missing */
function digestOf(inputs, bundle) {
  // Not a static import: loading this module takes a tenth of the time of --help, which needs no bundled package.
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256');
  for (const path of inputs) digest.update(readFileSync(join(root, path)));
  return digest.update(bundle).digest('hex');
}
