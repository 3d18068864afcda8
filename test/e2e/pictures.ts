import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startBrowser } from './browser.ts';
import { openServedSandbox, type ServedSandbox } from './served-sandbox.ts';

/*
 * Recreates the pictures of the README (`npm run pictures`): the dashboard over the real API and a simulated organization, and the output of
 * the demo.
 */

const ROOT = join(import.meta.dirname, '../..');
const PLACE = join(ROOT, 'docs/pictures');
const MOST_BYTES = 200 * 1024;
const VIEW = { width: 1200, height: 980 };

const POLICY = `version: 1
defaults: { computeOptimizer: Active }
rules:
  - id: workloads-and-platform
    match: { ou: [/Workloads, /Platform] }
    automation: Active
    organizationRules: AnyAllowed
guardrails: { maxChanges: { percent: 100, atLeast: 10 } }
limits: { callsPerSecond: 60, concurrency: 8 }
`;

async function save(name: string, page: Page, fullPage = false): Promise<void> {
  const picture = await page.screenshot({ fullPage });
  if (picture.length > MOST_BYTES)
    throw new Error(`${name} would take ${picture.length} bytes, more than ${MOST_BYTES}`);
  await writeFile(join(PLACE, name), picture);
  process.stdout.write(`docs/pictures/${name}: ${Math.ceil(picture.length / 1024)} kB\n`);
}

async function pictureDashboard(browser: Browser, { url, running }: ServedSandbox): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await pageWithArrows(browser, { colorScheme });
    await page.goto(url);
    const automation = page.getByRole('article').filter({ hasText: 'Automation' });
    if (colorScheme === 'light') {
      // When all accounts are compliant, opts a few out, so that the picture shows drift.
      await automation.getByText('100%').waitFor({ timeout: 120_000 });
      optSomeOut(running);
      await page.getByRole('button', { name: 'Scan now' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Scan now' }).click();
    }
    await page.getByRole('region', { name: 'Remediation' }).getByText('cool-down').waitFor({ timeout: 60_000 });
    const dismiss = page.getByRole('button', { name: 'Dismiss' });
    if (await dismiss.isVisible()) await dismiss.click();
    await page.locator('svg.chart').waitFor();
    await save(`dashboard-${colorScheme}.png`, page);
    await page.context().close();
  }
}

/** The fonts of the test browser have no arrows, unlike those of every desktop. */
async function pageWithArrows(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({
    ...{ locale: 'en-US', timezoneId: 'UTC', viewport: VIEW, bypassCSP: true },
    ...options,
  });
  const page = await context.newPage();
  // Under the name of the first font of the page, and only for arrows.
  const font = (await fontFace(400)).replace('family: Mono;', 'family: Inter; unicode-range: U+2190-21FF;');
  page.on('domcontentloaded', () => void page.addStyleTag({ content: font }));
  return page;
}

/** An account that opts out of Automation cannot opt in again for a day. */
function optSomeOut({ sandbox }: ServedSandbox['running']): void {
  const some = sandbox
    .accounts()
    .filter(({ ou, state, management }) => ou.startsWith('/Workloads') && state === 'ACTIVE' && !management);
  const changes = some.slice(0, 6).map(({ accountId }) => {
    return { accountId, enrollment: 'automation' as const, status: 'Inactive' as const };
  });
  sandbox.drift({ changes });
}

/** The terminal output of `npm start -- --once`. */
async function pictureDemo(browser: Browser): Promise<void> {
  const text = await outputOf(['demo', '--once']);
  const context = await browser.newContext({ viewport: { width: 1000, height: 100 } });
  const page = await context.newPage();
  await page.setContent(`<!doctype html><style>
    ${await fontFace(400)} ${await fontFace(700)}
    body { margin: 0; padding: 20px; background: #14171c; display: inline-block; }
    pre { font: 13px/1.45 Mono; font-variant-ligatures: none; margin: 0; }
  </style><pre></pre>`);
  const pre = page.locator('pre');
  for (const { text: part, color, bold } of runsOf(text)) {
    await pre.evaluate(
      (element, [content, paint, weight]) => {
        const span = element.ownerDocument.createElement('span');
        span.textContent = content;
        span.style.color = paint;
        span.style.fontWeight = weight;
        element.append(span);
      },
      [part, color, bold ? 'bold' : 'normal'] as const,
    );
  }
  await page.evaluate('document.fonts.ready');
  await save('demo.png', page, true);
  await context.close();
}

/** The test browser has no monospaced font. */
async function fontFace(weight: 400 | 700): Promise<string> {
  const name = `@fontsource/dejavu-mono/files/dejavu-mono-latin-${weight}-normal.woff2`;
  const font = await readFile(createRequire(import.meta.url).resolve(name));
  return `@font-face { font-family: Mono; font-weight: ${weight}; src: url(data:font/woff2;base64,${font.toString('base64')}) }`;
}

function outputOf(args: readonly string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', FORCE_COLOR: '1' };
  const child = spawn(process.execPath, [join(ROOT, 'services/cli/main.mjs'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`the demo ended with ${code}`))));
  });
}

interface Painted {
  readonly text: string;
  readonly color: string;
  readonly bold: boolean;
}

/** The terminal colours that the commands use [ECMA-48, SGR]. */
const COLORS: ReadonlyMap<number, string> = new Map([
  [31, '#ff8f87'],
  [32, '#7fd99a'],
  [33, '#e9c46a'],
  [34, '#82b4f2'],
  [36, '#74d3d9'],
  [90, '#8b95a5'],
]);
const PLAIN = '#d8dee9';

function runsOf(text: string): readonly Painted[] {
  const runs: Painted[] = [];
  let color = PLAIN;
  let bold = false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with it
  for (const [index, part] of text.split(/\u001b\[([\d;]*)m/).entries()) {
    if (index % 2 === 0) {
      if (part !== '') runs.push({ text: part, color, bold });
      continue;
    }
    for (const code of part.split(';').map(Number)) {
      if (code === 0 || code === 39) color = PLAIN;
      color = COLORS.get(code) ?? color;
      bold = code === 1 || (bold && code !== 0 && code !== 22);
    }
  }
  return runs;
}

await mkdir(PLACE, { recursive: true });
const browser = await startBrowser();
try {
  await pictureDemo(browser);
  const served = await openServedSandbox({ sandbox: { accounts: 300, drift: 0.25, seed: 7 }, policy: POLICY });
  try {
    await pictureDashboard(browser, served);
  } finally {
    await served.close();
  }
} finally {
  await browser.close();
}
