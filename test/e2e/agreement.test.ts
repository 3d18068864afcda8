import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type * as z from 'zod';
import { SCHEMAS } from '../../services/api/schemas.ts';
import { type EnrollmentId, TITLES } from '../../shared/domain/enrollment/kinds/index.ts';
import { CHILD_ENV, childFile } from '../support/children.ts';
import { watched } from './page.ts';
import { openServedSandbox, type ServedSandbox } from './served-sandbox.ts';
import { browserOrReason } from './story.ts';

/* No number contradicts another: headline, bars, chart, tables, API and CLI show the same at five moments of a run. */

const POLICY = `version: 1
defaults: { computeOptimizer: Active }
rules:
  - id: workloads
    match: { ou: /Workloads }
    automation: Active
guardrails: { maxChanges: { percent: 10, atLeast: 1 } }
limits: { callsPerSecond: 40, concurrency: 4 }
`;
const PATIENCE = { timeout: 45_000, interval: 100 };
const KINDS = ['computeOptimizer', 'automation'] as const satisfies readonly EnrollmentId[];
const LISTED = ['Needs attention', 'Drifted', 'In progress', 'Waiting', 'Unknown'] as const;

type Status = z.infer<typeof SCHEMAS.Status>;
type Numbers = Readonly<Record<string, string | number>>;

const browser = await browserOrReason();
const numbers = new Intl.NumberFormat('en-US');

/** What the pages should show, as texts. */
function expectedOf({ openDrift, compliance, statuses, accounts }: Status): Numbers {
  const shown: Record<string, string | number> = {
    'open drift': openDrift.enrollments,
    'managed accounts': accounts.managed,
    'accounts with drift': openDrift.accounts,
  };
  for (const kind of KINDS) {
    const { compliant, managed, percent } = compliance[kind];
    const share = Math.floor((percent ?? 0) * 10) / 10;
    shown[`${kind} share`] = `${share % 100 === 0 ? share : share.toFixed(1)}%`;
    shown[`${kind} compliant`] = `${numbers.format(compliant)} of ${numbers.format(managed)}`;
    for (const word of LISTED) shown[`${kind} ${word}`] = statuses[kind][word];
  }
  return shown;
}

/** The same numbers as the overview's cards show them. */
async function cardsOf(page: Page): Promise<Numbers> {
  const shown: Record<string, string | number> = {};
  const summary = page.getByRole('region', { name: 'Summary' });
  const figure = async (title: string) => {
    const card = summary.getByRole('article').filter({ has: page.getByRole('heading', { name: title, exact: true }) });
    const [main, text, counts] = await Promise.all([
      card.locator('.figure b').innerText(),
      card.locator('p').nth(1).innerText(),
      card.getByRole('listitem').allInnerTexts(),
    ]);
    return { main, text, counts: new Map(counts.map((each) => wordAndNumber(each))) };
  };
  shown['open drift'] = numberIn((await figure('Open drift')).main);
  for (const kind of KINDS) {
    const { main, text, counts } = await figure(TITLES[kind]);
    shown[`${kind} share`] = main;
    shown[`${kind} compliant`] = /^([\d,]+ of [\d,]+) managed/.exec(text)?.[1] ?? text;
    for (const word of LISTED) shown[`${kind} ${word}`] = counts.get(word) ?? 0;
  }
  const foot = await page.getByRole('region', { name: 'Where' }).locator('.table-foot').innerText();
  shown['managed accounts'] = numberIn(/([\d,]+) accounts? managed/.exec(foot)?.[1] ?? foot);
  shown['accounts with drift'] = numberIn(/([\d,]+) with drift$/.exec(foot.trim())?.[1] ?? foot);
  return shown;
}

const numberIn = (text: string): number => Number(text.replaceAll(',', ''));
const wordAndNumber = (text: string): [string, number] => {
  const [, word = '', n = ''] = /^(\D+?)\s*([\d,]+)$/s.exec(text.trim()) ?? [];
  return [word, numberIn(n)];
};

/** The last point of the chart, by kind: `75.1%, 221 of 294`. */
async function chartOf(page: Page): Promise<Numbers> {
  const texts = await page.locator('svg.chart text').allTextContents();
  return Object.fromEntries(KINDS.map((kind) => [kind, texts[texts.indexOf(TITLES[kind]) + 1] ?? 'not in the chart']));
}

async function tabsOf(page: Page): Promise<Numbers> {
  const tabs = page.getByRole('navigation', { name: 'Filter by status' });
  return Object.fromEntries((await tabs.getByRole('link').allInnerTexts()).map(wordAndNumber));
}

describe.skipIf(typeof browser === 'string')('no number contradicts another', () => {
  let served: ServedSandbox;
  let overview: Page;
  let accounts: Page;

  const read = async <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    schema.parse(await (await fetch(`${served.url}${path}`)).json());
  const status = () => read('/api/status', SCHEMAS.Status);
  const command = async (path: string, body: unknown): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${served.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect([path, answer.status]).toEqual([path, 200]);
  };

  /** Compares every view. Views that were read while a worker recorded a change are read again. */
  const compare = (): Promise<Status> =>
    vi.waitFor(async () => {
      const before = await status();
      const [cards, chart, tabs, list, run] = await Promise.all([
        cardsOf(overview),
        chartOf(overview),
        tabsOf(accounts),
        read('/api/accounts?limit=1', SCHEMAS.Accounts),
        read('/api/overview', SCHEMAS.Overview),
      ]);
      const parts = ({ openDrift, compliance, statuses, accounts: counted }: Status) => {
        return { openDrift, compliance, statuses, counted };
      };
      const wanted = expectedOf(before);
      expect(cards).toEqual(wanted);
      expect(chart).toEqual(
        Object.fromEntries(KINDS.map((kind) => [kind, `${wanted[`${kind} share`]}, ${wanted[`${kind} compliant`]}`])),
      );
      const { counts } = list;
      const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
      expect(all).toBe(before.accounts.total);
      const some = Object.entries(counts).filter(([, n]) => n > 0);
      expect(tabs).toEqual({ All: all, ...Object.fromEntries(some) });
      const drifted = run.ous.worst.reduce((sum, each) => sum + each.drifted, 0);
      if (run.ous.more === 0) expect(drifted).toBe(before.openDrift.accounts);
      // Last, because each attempt starts a process.
      const cli = SCHEMAS.Status.parse(JSON.parse(await served.run(['status', '-o', 'json'])));
      expect(parts(await status())).toEqual(parts(before));
      expect(parts(cli)).toEqual(parts(before));
      return before;
    }, PATIENCE);

  beforeAll(async () => {
    served = await openServedSandbox({
      sandbox: { accounts: 90, drift: 0.3, seed: 5, configurationDelayMs: 0 },
      policy: POLICY,
      cli: { file: childFile('cli'), env: CHILD_ENV },
    });
  });
  afterAll(async () => {
    await served?.close();
    if (typeof browser !== 'string') await browser.close();
  });

  test('before a run, while it changes accounts, halted, after it, and with accounts suspended', async () => {
    if (typeof browser === 'string') throw new Error(browser);
    await vi.waitFor(async () => expect((await status()).guardrail).not.toBeNull(), PATIENCE);
    [overview, accounts] = [await watched(browser, served.url), await watched(browser, served.url)];
    await overview.goto(`${served.url}/`);
    await accounts.goto(`${served.url}/accounts`);
    await overview.locator('svg.chart').waitFor();

    // 1: a guardrail has stopped the plan.
    const { guardrail, openDrift } = await compare();
    expect(openDrift.enrollments).toBeGreaterThan(10);
    // 2: in the middle of the run.
    await command('/api/approve', { planHash: guardrail?.planHash, reason: 'adoption' });
    await command('/api/scan', {});
    await vi.waitFor(async () => {
      expect((await status()).openDrift.enrollments).toBeLessThan(openDrift.enrollments - 3);
    }, PATIENCE);
    await command('/api/halt', { reason: 'look at it' });
    // 3: halted, with changes left.
    const halted = await compare();
    expect(halted.openDrift.enrollments).toBeGreaterThan(0);
    expect(halted.openDrift.enrollments).toBeLessThan(openDrift.enrollments);
    // 4: complete.
    await command('/api/unhalt', {});
    // The approval was for one run, so what the halt left needs another one.
    const left = await vi.waitFor(async () => {
      const { guardrail: next, openDrift: drift } = await status();
      const planHash = next?.planHash ?? null;
      expect(drift.enrollments === 0 || (planHash !== null && planHash !== guardrail?.planHash)).toBe(true);
      return drift.enrollments === 0 ? null : planHash;
    }, PATIENCE);
    if (left !== null) {
      await command('/api/approve', { planHash: left, reason: 'the rest' });
      await command('/api/scan', {});
    }
    await vi.waitFor(async () => expect((await status()).openDrift).toMatchObject({ enrollments: 0 }), PATIENCE);
    await compare();
    // 5: an OU is suspended, and somebody opts other accounts out.
    await command('/api/suspend', { selector: 'ou:/Sandbox', reason: 'migration' });
    const { sandbox } = served.running;
    const some = sandbox
      .accounts()
      .filter(({ ou, state }) => ou !== '/Sandbox' && state === 'ACTIVE')
      .slice(0, 3);
    const changes = some.map(
      ({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }) as const,
    );
    sandbox.drift({ changes });
    await command('/api/scan', {});
    await vi.waitFor(async () => {
      expect((await status()).statuses.computeOptimizer.Suspended).toBeGreaterThan(0);
    }, PATIENCE);
    await compare();
  });
});
