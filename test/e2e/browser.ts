import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import * as z from 'zod';

/*
 * A real Chromium. On Linux x64 it comes with an npm package; elsewhere an installed Chrome is used. That package is made for functions, and
 * its own flags turn off web security and put everything into one process: what a page may do is just what is tested here, so none of them
 * is used but the one about the kernel's sandbox, which containers lack.
 */

const PACKAGE = '@sparticuz/chromium';
const FONTS = 'fonts.conf';

/** Starts the browser. @throws what keeps it from starting */
export async function startBrowser(): Promise<Browser> {
  const packed = process.platform === 'linux' && process.arch === 'x64';
  if (!packed) return chromium.launch({ channel: 'chrome' });
  const home = await unpacked();
  return chromium.launch({
    executablePath: join(home, 'chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--lang=en-US', '--font-render-hinting=none'],
    env: { ...environment(), LANGUAGE: 'en-US', LANG: 'en_US.UTF-8', FONTCONFIG_FILE: join(home, FONTS) },
  });
}

/** Whether a browser starts here, or why not: what tests without one are skipped for. */
export async function browserOrReason(): Promise<Browser | string> {
  try {
    return await startBrowser();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What `browserOrReason` found, where tests without a browser are skipped. */
export function started(found: Browser | string): Browser {
  if (typeof found === 'string') throw new Error(found);
  return found;
}

function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/**
 * The package unpacks into the temporary directory and takes whatever lies there already, of another version or half written. So it is given
 * a directory of its own, which takes its name once it is whole.
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
 * The package's own configuration looks for fonts where functions have them and in the temporary directory; a Chromium that finds none ends
 * in the middle of a page. The fonts that the package brings are enough, and the same on every machine.
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
