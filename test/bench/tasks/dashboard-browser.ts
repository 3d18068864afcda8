import type { Browser, Page, Request } from 'playwright-core';
import * as z from 'zod';
import { startBrowser } from '../../e2e/browser.ts';
import { answer, taskInput } from '../workbench.ts';

/*
 * Opens the dashboard in a real browser with an empty cache, and answers with the times from the start of each navigation, ms: until the
 * first card of the overview, and until the first row of the list of accounts.
 */

const input = z.object({ url: z.string(), rounds: z.number(), accounts: z.number(), pictures: z.string().nullable() });
const { url, rounds, accounts, pictures } = input.parse(taskInput());

const PATIENCE_MS = 60_000;

const SHOWN = 'bench-shown';

/** Runs in the page before its own script: marks the time when `selector` first matched, after the next frame was drawn. */
const watcherOf = (selector: string): string => `
  new MutationObserver((_, observer) => {
    if (document.querySelector(${JSON.stringify(selector)}) === null) return;
    observer.disconnect();
    requestAnimationFrame(() => performance.mark('${SHOWN}'));
  }).observe(document, { childList: true, subtree: true });
`;

const CARD = '[aria-label="Summary"] article';
const ROW = '[aria-label="Accounts"] tr[aria-rowindex="2"]';

async function open(browser: Browser, path: string, selector: string, work: (page: Page) => Promise<void>) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const requests: Request[] = [];
    page.on('request', (request) => void requests.push(request));
    await page.addInitScript({ content: watcherOf(selector) });
    await page.goto(new URL(path, url).href);
    await page.waitForSelector(selector);
    await page.waitForFunction(isMarked, SHOWN);
    const shownMs = await page.evaluate(markedAt, SHOWN);
    await work(page);
    // Without the request for the values to filter by.
    const lists = requests.filter((request) => {
      const { pathname, searchParams } = new URL(request.url());
      return pathname === '/api/accounts' && !searchParams.has('facets');
    });
    const bytes = await Promise.all(lists.map(async (request) => (await request.sizes()).responseBodySize));
    return { shownMs, bytes };
  } finally {
    await context.close();
  }
}

/* Both run in the page. */
const isMarked = (name: string): boolean => performance.getEntriesByName(name).length > 0;
const markedAt = (name: string): number => performance.getEntriesByName(name)[0]?.startTime ?? Number.NaN;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== null) await page.screenshot({ path: `${pictures}/${name}.png` });
}

const browser = await startBrowser();
try {
  const opened = [];
  for (let round = 0; round < rounds; round += 1) {
    const card = await open(browser, '/', CARD, (page) => picture(page, `overview-${round}`));
    const table = await open(browser, '/accounts', ROW, async (page) => {
      // Fails if the table does not show the whole organization.
      await page.getByText(`${accounts.toLocaleString('en-US')} accounts`, { exact: true }).waitFor();
      await picture(page, `accounts-${round}`);
    });
    const bytes = table.bytes.reduce((sum, each) => sum + each, 0);
    opened.push({ cardMs: card.shownMs, tableMs: table.shownMs, responses: table.bytes.length, bytes });
  }
  answer(opened);
} finally {
  await browser.close();
}
