import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SCHEMAS } from '../../services/api/schemas.ts';
import { CHILD_ENV, childFile } from '../support/children.ts';
import { nothingLoads, watched } from './page.ts';
import { openServedSandbox, type ServedSandbox } from './served-sandbox.ts';
import { browserOrReason } from './story.ts';

/*
 * The layout of the pages when the policy manages every enrollment kind: the most columns, cards and the longest names. The first plan
 * exceeds the change cap and is approved, so that its changes do not count against the cap.
 */

const POLICY = `version: 1
defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed, costOptimizationHub: Active }
guardrails: { maxChanges: { percent: 10, atLeast: 1 } }
limits: { callsPerSecond: 500, concurrency: 8 }
`;
const PATIENCE = { timeout: 30_000, interval: 200 };
const WIDTH = 390;

/** The focused element and the element around it that cuts its focus ring, or `null`. The ring of a field is around its frame. Half a pixel is invisible. */
const CUT_RING = `(() => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth, outlineOffset, display } = getComputedStyle(element);
  if (outlineStyle === 'none') return null;
  const ring = parseFloat(outlineWidth) + parseFloat(outlineOffset) - 0.5;
  const boxes = display === 'inline' ? [...element.getClientRects()] : [element.getBoundingClientRect()];
  for (let around = element.parentElement; around !== document.documentElement; around = around.parentElement) {
    if (getComputedStyle(around).overflow === 'visible') continue;
    const { left, right, top, bottom } = around.getBoundingClientRect();
    const room = boxes.flatMap((box) => [box.left - left, right - box.right, box.top - top, bottom - box.bottom]);
    if (Math.min(...room) < ring) return element.textContent + ' in ' + around.className + ' ' + room;
  }
  return null;
})()`;

const browser = await browserOrReason();

describe.skipIf(typeof browser === 'string')('with three enrollment kinds', () => {
  let served: ServedSandbox;
  let cooling = '';

  const get = async (path: string): Promise<unknown> => (await fetch(`${served.url}/api/${path}`)).json();
  const post = (path: string, body: unknown) =>
    fetch(`${served.url}/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  beforeAll(async () => {
    served = await openServedSandbox({
      sandbox: { accounts: 30, drift: 0.3, seed: 3, configurationDelayMs: 0 },
      policy: POLICY,
      cli: { file: childFile('cli'), env: CHILD_ENV },
    });
    const planHash = await vi.waitFor(async () => {
      const { guardrail } = SCHEMAS.Status.parse(await get('status'));
      expect(guardrail?.planHash).toMatch(/^[0-9a-f]{64}$/);
      return guardrail?.planHash;
    }, PATIENCE);
    await post('approve', { planHash, reason: 'reviewed' });
    const [first, second, third] = await vi.waitFor(async () => {
      const { accounts } = SCHEMAS.Accounts.parse(await get('accounts?limit=100&status=Compliant'));
      expect(accounts.length).toBeGreaterThan(20);
      return accounts.map(({ accountId }) => accountId);
    }, PATIENCE);
    cooling = first ?? '';
    served.running.sandbox.drift({ changes: [{ accountId: cooling, enrollment: 'automation', status: 'Inactive' }] });
    await post('suspend', { selector: `${second},${third}`, reason: `migration${'n'.repeat(100)}` });
    await post('check', { accounts: [cooling] });
    await vi.waitFor(async () => {
      const { openDrift } = SCHEMAS.Status.parse(await get('status'));
      expect(openDrift.waiting).toBe(1);
    }, PATIENCE);
  }, 120_000);
  afterAll(async () => {
    await served?.close();
    if (typeof browser !== 'string') await browser.close();
  });

  const show = async (page: Page, path: string): Promise<void> => {
    await page.goto(`${served.url}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await nothingLoads(page);
  };
  const open = async (path: string, width: number, expected?: RegExp): Promise<Page> => {
    if (typeof browser === 'string') throw new Error(browser);
    const page = await watched(browser, served.url, { viewport: { width, height: 900 } }, expected);
    await show(page, path);
    return page;
  };
  const runPath = async (): Promise<string> => {
    const { runs } = SCHEMAS.Runs.parse(await get('runs?limit=20'));
    return `/run?id=${runs.find(({ changes }) => changes.total > 0)?.runId}`;
  };

  test('changes of an approved plan are shown apart from those that count against the cap', async () => {
    const { approvedAccounts: approved } = SCHEMAS.Policy.parse(await get('policy')).usage;
    expect(approved).toBeGreaterThan(2);
    const policy = await open('/policy', 1440);
    const row = policy.getByRole('region', { name: 'Guardrails' }).getByRole('row', { name: /^Changed accounts/ });
    expect(await row.innerText()).toMatch(
      new RegExp(`^Changed accounts\\s+0\\s+of at most \\d+ \\(10%\\), and ${approved} approved$`),
    );
    const overview = await open('/', 1440);
    const remediation = overview.getByRole('region', { name: 'Remediation' });
    expect(await remediation.innerText()).toMatch(new RegExp(`0 of at most \\d+ accounts? and ${approved} approved`));
  });

  /** The width of the page's content and of its narrowest column of reasons, px. */
  const measured = async (page: Page) => ({
    content: await page.locator('html').evaluate(({ scrollWidth }) => scrollWidth),
    reason: Math.min(
      ...(await page
        .getByRole('columnheader', { name: 'Reason', exact: true })
        .evaluateAll((cells) => cells.map(({ clientWidth }) => clientWidth))),
    ),
  });

  test.each([
    ['the overview', async () => '/'],
    ['the list of accounts', async () => '/accounts'],
    ['an account', async () => `/account?id=${cooling}`],
    ['the audit log', async () => '/audit'],
    ['the status at a time', async () => '/audit?view=as-of'],
    ['the list of runs', async () => '/runs'],
    ['a run', runPath],
    ['the policy', async () => '/policy'],
    ['the operations', async () => '/operations'],
    ['an invalid filter', async () => '/audit?type=None'],
  ])('%s fits a screen of 390 to 1280 pixels, with every reason', async (_, path) => {
    const page = await open(await path(), WIDTH, /status of 400/);
    // The page lays itself out again after its window was resized, so a width is measured until it fits.
    for (const width of [WIDTH, 820, 1024, 1181, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(async () => (await measured(page)).content, { message: `${width} pixels` }).toBe(width);
      if (width === WIDTH) continue;
      await expect
        .poll(async () => (await measured(page)).reason, { message: `reasons at ${width} pixels` })
        .toBeGreaterThanOrEqual(120);
    }
  });

  test.each([1024, 1280, 1440, 1680])('the list of accounts shows every account id at %d pixels', async (width) => {
    const page = await open('/accounts', width);
    const ids = served.running.sandbox.accounts().map(({ accountId }) => accountId);
    const rows = page
      .getByRole('region', { name: 'Accounts' })
      .getByRole('row')
      .filter({ hasText: /\d{12}/ });
    const visible = rows.filter({ visible: true });
    await expect.poll(() => visible.count()).toBeGreaterThanOrEqual(20);
    for (const text of await visible.allInnerTexts()) expect(ids).toContain(/\b\d{12}\b/.exec(text)?.[0]);
    const [, last = ''] = /Rows 1–(\d+) of/.exec(await page.locator('main').innerText()) ?? [];
    expect(Number(last)).toBeGreaterThanOrEqual(20);
  });

  test('the cards of the overview are stacked on a narrow screen, and aligned on a wide one', async () => {
    const boxes = async (width: number, part: string) => {
      const page = await open('/', width);
      const cards = page.getByRole('region', { name: 'Summary' }).locator(part);
      expect(await cards.count()).toBe(4);
      return Promise.all((await cards.all()).map(async (card) => await card.boundingBox()));
    };
    const stacked = await boxes(WIDTH, 'article');
    for (const [index, box] of stacked.slice(1).entries()) {
      const above = stacked[index];
      expect(box?.y).toBeGreaterThanOrEqual((above?.y ?? 0) + (above?.height ?? 0));
    }
    const narrow = await open('/', WIDTH);
    const needs = await narrow.getByRole('region', { name: 'Needs attention' }).boundingBox();
    expect(needs?.y).toBeLessThan(stacked[0]?.y ?? 0);
    const bars = await boxes(1024, 'article > svg');
    expect(new Set(bars.map((bar) => Math.round(bar?.y ?? 0))).size).toBe(1);
  });

  test('no table cuts a name or a status on a wide screen, nor the list of accounts a reason', async () => {
    const cut: Record<string, readonly string[]> = {};
    const page = await open('/accounts', 1440);
    for (const path of ['/accounts', `/account?id=${cooling}`, '/audit?view=as-of', await runPath()]) {
      if (path !== '/accounts') await show(page, path);
      const texts = await page
        .locator(path === '/accounts' ? 'main td, main th' : 'main td:not(.why), main th')
        .evaluateAll((cells) =>
          cells.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.innerText),
        );
      if (texts.length > 0) cut[path.split('?')[0] ?? path] = [...new Set(texts)];
    }
    expect(cut).toEqual({});
  });

  test('entries and changes take two lines on a narrow screen, with links that are easy to hit', async () => {
    const height = async (path: string, table: string): Promise<number> => {
      const page = await open(path, WIDTH);
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().withRules(['target-size']).analyze();
      expect(violations.flatMap(({ nodes }) => nodes.map(({ html }) => html))).toEqual([]);
      const rows = await page
        .getByRole('table', { name: table })
        .getByRole('row')
        .filter({ has: page.getByRole('link') })
        .all();
      const boxes = await Promise.all(rows.map((row) => row.boundingBox()));
      // Words that have no room continue on a third line, so this is the height of most rows.
      const sorted = boxes.map((box) => box?.height ?? 0).sort((a, b) => a - b);
      return sorted[Math.floor(sorted.length / 2)] ?? 0;
    };
    expect(await height('/audit?type=DriftDetected', 'Entries, newest first')).toBeLessThan(60);
    expect(await height(await runPath(), 'Changes of the run')).toBeLessThan(60);
  });

  test('the bars of drift stand beside its number, not beside the percentage', async () => {
    const where = (await open('/', 1440)).getByRole('region', { name: 'Where' });
    const columns = ['Organizational unit', 'Compliant', 'Drift', 'Accounts with drift, as a bar'];
    expect(await where.getByRole('columnheader').allTextContents()).toEqual(columns);
    const bar = where.getByRole('row').nth(1).getByRole('cell').nth(2).getByRole('img');
    expect(await bar.getAttribute('aria-label')).toMatch(/^\d+ accounts? with open drift$/);
  });

  test('with a wider font, entry titles end with an ellipsis, and column titles and policy versions stay whole', async () => {
    if (typeof browser === 'string') throw new Error(browser);
    const page = await watched(browser, served.url, { viewport: { width: 1440, height: 900 }, bypassCSP: true });
    const show = async (path: string): Promise<void> => {
      await page.goto(`${served.url}${path}`);
      // About as wide as DejaVu Sans, which the test browser lacks.
      await page.addStyleTag({ content: 'body { letter-spacing: 0.09em }' });
      await nothingLoads(page);
    };
    const overflows = (selector: string): Promise<readonly string[]> =>
      page
        .locator(selector)
        .evaluateAll((found) =>
          found.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent ?? ''),
        );
    await show('/audit?type=RemediationSucceeded&period=all');
    await page.locator('td.type').first().waitFor();
    expect(await overflows('td.type')).toEqual([]);
    await show('/');
    await page.getByRole('region', { name: 'Where' }).getByRole('row').nth(1).waitFor();
    expect(await overflows('.a-where thead th.num')).toEqual([]);
    await show('/policy');
    const version = page.getByRole('table').getByRole('button', { name: /^[0-9a-f]{8}$/ });
    expect((await version.first().boundingBox())?.height).toBeLessThan(24);
    expect(await overflows('th:has(button.plain)')).toEqual([]);
  });

  test.each([1440, WIDTH])('the focus ring is never cut, at %d pixels', async (width) => {
    const cut = new Set<string>();
    const page = await open('/', width);
    for (const path of ['/', '/accounts', '/audit', '/runs']) {
      if (path !== '/') await show(page, path);
      for (let turn = 0; turn < 25; turn += 1) {
        await page.keyboard.press('Tab');
        const found: unknown = await page.evaluate(CUT_RING);
        if (found !== null) cut.add(`${path}: ${found}`);
      }
    }
    expect([...cut]).toEqual([]);
  });

  test('the overview names a suspended account and the actor in short', async () => {
    const page = await open('/', 1440);
    const remediation = page.getByRole('region', { name: 'Remediation' });
    await remediation.getByText(/^Suspended: \d{12}, \d{12}$/).waitFor();
    expect(await remediation.innerText()).not.toContain('arn:');
  });

  test('the actor of a drift without a CloudTrail event is unknown on every page', async () => {
    const drift = (page: Page) => page.getByRole('row', { name: /Drift detected/ }).first();
    const audit = await open('/audit?type=DriftDetected', 1440);
    expect(await drift(audit).getByRole('cell').last().innerText()).toBe('Unknown');
    const account = await open(`/account?id=${cooling}`, 1440);
    const line = account
      .getByRole('region', { name: 'Timeline' })
      .locator('summary')
      .filter({ hasText: 'Drift detected' });
    expect(await line.first().locator('.who').innerText()).toBe('Unknown');
  });
});
