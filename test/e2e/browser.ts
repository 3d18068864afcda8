import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import * as z from 'zod';

/*
 * A real Chromium. On Linux x64 it comes with an npm package; elsewhere, tests use an installed Chrome. The package is made for functions:
 * its flags turn off web security and use a single process. These tests check what a page may do, so they use none of its flags
 * except the one for the kernel's sandbox, which containers lack.
 */

const PACKAGE = '@sparticuz/chromium';
const FONTS = 'fonts.conf';

/** Starts the browser. @throws the reason why it cannot start */
export async function startBrowser(): Promise<Browser> {
  const packed = process.platform === 'linux' && process.arch === 'x64';
  if (!packed) return chromium.launch({ channel: 'chrome' });
  const home = await unpacked();
  return chromium.launch({
    executablePath: join(home, 'chromium'),
    // One renderer for all pages: by default each page gets a process, and the next one is started in advance.
    args: ['--no-sandbox', '--disable-gpu', '--renderer-process-limit=1', '--lang=en-US', '--font-render-hinting=none'],
    env: { ...environment(), LANGUAGE: 'en-US', LANG: 'en_US.UTF-8', FONTCONFIG_FILE: join(home, FONTS) },
  });
}

function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/**
 * The package unpacks into the temporary directory and uses any existing file there, even of another version or half written. So it gets
 * a directory of its own, which is renamed when it is complete.
 */
async function unpacked(): Promise<string> {
  const require = createRequire(import.meta.url);
  const root = join(require.resolve(PACKAGE), '../../..');
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { version } = z.object({ version: z.string() }).parse(manifest);
  const cache = join(import.meta.dirname, '../../node_modules/.cache');
  const home = join(cache, `chromium-${version}-with-fonts`);
  if (existsSync(home)) return home;
  const draft = `${home}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = draft;
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    await packed.executablePath();
    await writeFile(join(draft, FONTS), fontsIn(home));
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
  try {
    await rename(draft, home);
  } catch (error) {
    // Another process was faster.
    if (!existsSync(home)) throw error;
    await rm(draft, { recursive: true });
  }
  return home;
}

/**
 * The package looks for fonts in the paths of functions and in the temporary directory; a Chromium without fonts crashes
 * in the middle of a page. The fonts of the package suffice and are the same on every machine.
 */
function fontsIn(home: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${home}/fonts/fonts</dir>
  <cachedir>${home}/fonts-cache</cachedir>
</fontconfig>
`;
}
