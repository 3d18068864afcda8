import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

/** Long enough for a busy machine; the awaited state usually takes a fraction of a second. */
const PATIENCE_MS = 20_000;

/**
 * A new page in a new browser context. Fails the test if the page wrote to the console, threw an error, or sent a request to any origin
 * but `origin`.
 *
 * @param expected console messages that are allowed
 */
export async function watched(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
  expected?: RegExp,
): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-US', timezoneId: 'Asia/Tokyo', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on('console', (message) => {
    const text = `${message.type()}: ${message.text()}`;
    if (['error', 'warning'].includes(message.type()) && expected?.test(text) !== true) complaints.push(text);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith('blob:')) complaints.push(`request: ${url}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  return page;
}

/** Resolves when the element has the focus. The page may move it some frames after a key or a closed dialog. */
export function hasFocus(element: Locator): Promise<void> {
  return element.and(element.page().locator(':focus')).waitFor();
}

/** Resolves when no part of the page still loads. */
export function nothingLoads(page: Page): Promise<void> {
  return page
    .locator('body')
    .filter({ hasNot: page.getByText(/^Loading.*…$/) })
    .waitFor();
}
