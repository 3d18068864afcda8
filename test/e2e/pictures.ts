import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from './browser.ts';
import { type House, openHouse } from './house.ts';

/*
 * Makes the pictures of the README again: `npm run pictures`. The dashboard over the real API and a pretend organization, and what the demo
 * prints.
 */

const ROOT = join(import.meta.dirname, '../..');
const PLACE = join(ROOT, 'docs/pictures');
const MOST_BYTES = 200 * 1024;
const VIEW = { width: 1200, height: 860 };

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

async function pictureDashboard(browser: Browser, { url, running }: House): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ locale: 'en-US', timezoneId: 'UTC', colorScheme, viewport: VIEW });
    const page = await context.newPage();
    await page.goto(url);
    // Brought into line; then somebody opts a few out, and there is something to see.
    await page.getByText('100 %').first().waitFor({ timeout: 120_000 });
    if (colorScheme === 'light') driftSome(running);
    if (colorScheme === 'light') {
      await page.getByRole('button', { name: 'Scan now' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Scan now' }).click();
      await page.getByRole('region', { name: 'Just now' }).waitFor({ timeout: 60_000 });
      await page.getByRole('button', { name: 'Dismiss' }).click();
    }
    await page.locator('.chart canvas').waitFor();
    await save(`dashboard-${colorScheme}.png`, page);
    if (colorScheme === 'light') {
      await page.goto(`${url}/accounts`);
      await page.getByText(/^\d+ accounts$/).waitFor();
      await save('accounts.png', page);
    }
    await context.close();
  }
}

function driftSome({ sandbox }: House['running']): void {
  const some = sandbox
    .accounts()
    .filter(({ ou, state, management }) => ou === '/Sandbox' && state === 'ACTIVE' && !management);
  const changes = some.slice(0, 6).map(({ accountId }) => {
    return { accountId, enrollment: 'computeOptimizer' as const, status: 'Inactive' as const };
  });
  sandbox.drift({ changes });
}

/** What a terminal shows of `npm start -- --once`. */
async function pictureDemo(browser: Browser): Promise<void> {
  const text = await outputOf(['demo', '--once']);
  const context = await browser.newContext({ viewport: { width: 1000, height: 100 } });
  const page = await context.newPage();
  await page.setContent(`<!doctype html><style>
    body { margin: 0; padding: 20px; background: #14171c; color: #d8dee9; display: inline-block; }
    pre { font: 13px/1.45 monospace; margin: 0; }
    .cell { display: inline-block; width: 8px; text-align: center; }
  </style><pre></pre>`);
  const pre = page.locator('pre');
  for (const { text: part, color, bold } of runsOf(text)) {
    await pre.evaluate(
      (element, [content, paint, weight]) => {
        // Each in a cell of its own: the browser's fonts have none whose characters are of one width.
        for (const character of content) {
          const cell = element.ownerDocument.createElement('span');
          cell.textContent = character;
          cell.style.color = paint;
          cell.style.fontWeight = weight;
          if (character !== '\n') cell.className = 'cell';
          element.append(cell);
        }
      },
      [part, color, bold ? 'bold' : 'normal'] as const,
    );
  }
  await save('demo.png', page, true);
  await context.close();
}

function outputOf(args: readonly string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', FORCE_COLOR: '1' };
  const child = spawn(process.execPath, [join(ROOT, 'services/cli/main.ts'), ...args], {
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

/** Colours of a terminal [ECMA-48, SGR]; others that the commands use are none that matter here. */
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what escape sequences begin with
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
  const house = await openHouse({ sandbox: { accounts: 300, drift: 0.25, seed: 7 }, policy: POLICY });
  try {
    await pictureDashboard(browser, house);
  } finally {
    await house.close();
  }
} finally {
  await browser.close();
}
