import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { CHILD_ENV, childFile } from '../support/children.ts';
import { startBrowser } from './browser.ts';
import { watched } from './page.ts';
import { openServedSandbox, type ServedSandbox } from './served-sandbox.ts';

const POLICY = `version: 1
defaults: { computeOptimizer: Active }
rules:
  - id: workloads
    match: { ou: /Workloads }
    automation: Active
guardrails: { maxChanges: { percent: 0, atLeast: 1 } }
limits: { callsPerSecond: 500, concurrency: 8 }
`;
/** An account name with markup. */
export const MARKUP = '<img src=x onerror=alert(1)>';

interface OpenStory {
  readonly served: ServedSandbox;
  readonly cooling: string;
}

/** A served organization and a browser for all tests of a file. */
export interface Story {
  /** No browser starts on this machine, so the tests are skipped. */
  readonly skipped: boolean;
  readonly running: ServedSandbox['running'];
  /** The URL of the dashboard, without a trailing slash. */
  readonly url: string;
  /** An account that was opted out of Automation, so it cannot opt in for a day. */
  readonly cooling: string;
  /** An empty page for one test, checked as `watched` says. @param expected console messages that are allowed */
  newPage(options?: BrowserContextOptions, expected?: RegExp): Promise<Page>;
  /** A page at a path of the dashboard. @param expected console messages that are allowed */
  open(path: string, options?: BrowserContextOptions, expected?: RegExp): Promise<Page>;
}

/** Starts the story before the tests of the file that calls this at its top level, and ends it after them. */
export async function useStory(): Promise<Story> {
  const browser = await browserOrReason();
  let opened: OpenStory | null = null;
  const now = (): OpenStory => {
    if (opened === null) throw new Error('the story is open only while tests run');
    return opened;
  };
  const newPage: Story['newPage'] = (options, expected) => {
    if (typeof browser === 'string') throw new Error(browser);
    return watched(browser, now().served.url, options, expected);
  };
  if (typeof browser === 'string') process.stderr.write(`No browser starts here, its tests are skipped: ${browser}\n`);
  else {
    beforeAll(async () => {
      opened = await openStory();
    });
    afterAll(async () => {
      await opened?.served.close();
      await browser.close();
    });
  }
  return {
    skipped: typeof browser === 'string',
    get running() {
      return now().served.running;
    },
    get url() {
      return now().served.url;
    },
    get cooling() {
      return now().cooling;
    },
    newPage,
    async open(path, options, expected) {
      const page = await newPage(options, expected);
      await page.goto(`${now().served.url}${path}`);
      return page;
    },
  };
}

/** The browser, or the reason why none starts. */
export async function browserOrReason(): Promise<Browser | string> {
  try {
    return await startBrowser();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** An organization whose first plan is stopped by a guardrail. */
async function openStory(): Promise<OpenStory> {
  let cooling = '';
  const served = await openServedSandbox({
    sandbox: { accounts: 40, drift: 0.3, seed: 3, configurationDelayMs: 0 },
    policy: POLICY,
    cli: { file: childFile('cli'), env: CHILD_ENV },
    prepare: ({ sandbox, info }) => {
      // Somebody else's, where the policy does not manage Automation.
      const organizationalUnitId = sandbox.organizationalUnits().find(({ name }) => name === 'Sandbox')?.id;
      sandbox.handle({
        ...{ service: 'aco-automation', operation: 'PutOrganizationEnrollmentConfiguration', requestId: 'by-hand' },
        ...{ callerAccountId: info.managementAccountId },
        input: { target: { organizationalUnitId }, organizationRuleMode: 'NoneAllowed' },
      });
      sandbox.changeAccounts({ add: [{ name: MARKUP, ou: '/Sandbox' }] });
      const account = sandbox.accounts().find(({ ou, state, management, computeOptimizer, automation }) => {
        const enrolled = computeOptimizer.status === 'Active' && automation.status === 'Active';
        return ou.startsWith('/Workloads') && state === 'ACTIVE' && !management && enrolled;
      });
      if (account === undefined) throw new Error('the world has no account that is enrolled in both');
      cooling = account.accountId;
      sandbox.drift({ changes: [{ accountId: cooling, enrollment: 'automation', status: 'Inactive' }] });
    },
  });
  return { served, cooling };
}
