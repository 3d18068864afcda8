import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifierPage } from '../../services/verifier/page.ts';
import { writeVerifierKey } from '../../shared/domain/transparency/verifier-key.ts';
import { makeBench } from '../adapters/embedded/stores.ts';
import { account, chainOf, sealAll, time } from '../contract/samples.ts';
import { EVERYTHING_ON, place, rollcall, world } from '../services/cli/support.ts';
import { pack } from '../support/evidence-kit.ts';
import { ORIGIN, TestLog, testKey } from '../support/evidence-log.ts';
import { edit, tampered } from '../support/tampered-zip.ts';
import { history } from '../unit/app/queries/evidence/history.ts';
import { watched } from './page.ts';
import { browserOrReason } from './story.ts';

const browser = await browserOrReason();
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const PERIOD = { since: time(0), until: time(86_400_000) };

let directory: string;
let zip: Buffer;
let key: string;
/** An earlier checkpoint of the log, and a checkpoint of a fork. */
let kept: string;
let foreign: string;
/** A checkpoint that is newer than the evidence. */
let newer: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rollcall-verifier-'));
  const bench = makeBench();
  const store = await bench.open();
  const later = sealAll(account(8), [{ at: PERIOD.until }]);
  const all = [...history(), ...chainOf(account(7), 600), ...later];
  await store.ledger.append(all);
  const made = testKey();
  const log = new TestLog(made);
  log.append(all.slice(0, 9));
  kept = (await log.publish(time(20))).note;
  log.append(all.slice(9));
  await log.publish(PERIOD.until);
  const fork = new TestLog(made);
  fork.append(later);
  foreign = (await fork.publish(time(0))).note;
  const grown = new TestLog(made);
  grown.append([...all, ...chainOf(account(6), 100)]);
  newer = (await grown.publish(PERIOD.until)).note;
  const verifier = made.verifier(ORIGIN);
  ({ zip } = await pack(store, { ...PERIOD, log, key: verifier, page: await verifierPage() }));
  key = writeVerifierKey(verifier);
  await bench.dispose();
  writeFileSync(join(directory, 'verify.html'), await verifierPage());
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  if (typeof browser !== 'string') await browser.close();
});

describe.skipIf(typeof browser === 'string')('the page of an auditor, opened as a file without a network', () => {
  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    if (typeof browser === 'string') throw new Error(browser);
    const page = await watched(browser, 'file://', { offline: true, ...options });
    await page.goto(pathToFileURL(join(directory, 'verify.html')).href);
    return page;
  }
  const choose = (page: Page, name: string, content: Uint8Array): Promise<void> =>
    page
      .getByLabel('Evidence (ZIP file)')
      .setInputFiles({ name, mimeType: 'application/zip', buffer: Buffer.from(content) });
  const verdict = (page: Page, title: string) => page.getByRole('heading', { level: 2, name: title, exact: true });

  test('verifies the evidence with a pasted key, and searches the changes', async () => {
    const page = await open();
    await page.getByLabel('Public key of the log').fill(key);
    await choose(page, 'evidence.zip', zip);
    await verdict(page, 'Verified').waitFor();
    const note = page.getByRole('region', { name: 'Verdict' });
    expect(await note.innerText()).toContain('Not verified: exemptions.json, report.json, accounts-at-start.csv');
    const checks = page.getByRole('region', { name: 'What was verified' });
    expect(await checks.getByText('Passed', { exact: true }).count()).toBe(9);
    await page.getByText('609 entries', { exact: true }).waitFor();
    const rows = page.getByRole('region', { name: 'Table of changes' }).getByRole('row');
    expect(await rows.count()).toBe(1 + 200);
    await page.getByRole('button', { name: 'Show 200 more changes' }).click();
    await rows.nth(400).waitFor();
    const enrollments = await rows.locator('td:nth-child(4)').allInnerTexts();
    expect(new Set(enrollments.filter((text) => text !== ''))).toEqual(new Set(['Compute Optimizer']));
    // The ring around the focused title takes 3 pixels.
    const title = await verdict(page, 'Verified').boundingBox();
    const below = await note.locator('p').first().boundingBox();
    expect((below?.y ?? 0) - (title?.y ?? 0) - (title?.height ?? 0)).toBeGreaterThan(3);
    await page.getByRole('searchbox', { name: 'Search changes' }).fill('confirmed production');
    await page.getByText('1 change of 602 changes').waitFor();
    expect(await rows.nth(1).innerText()).toContain('Inactive → Active');
  });

  test('compares the log with a checkpoint that the auditor kept, pasted or from a file', async () => {
    const page = await open();
    await page.getByLabel('Public key of the log').fill(key);
    await page.getByLabel('Checkpoint that you kept (optional)').fill(kept.trim());
    await choose(page, 'evidence.zip', zip);
    await verdict(page, 'Verified').waitFor();
    await page.getByText('The log still has all 9 entries that your checkpoint covers, unchanged.').waitFor();
    await page.getByLabel('Checkpoint that you kept (optional)').fill(newer);
    await page.getByRole('button', { name: 'Verify again' }).click();
    await verdict(page, 'Not comparable').waitFor();
    expect(await page.getByRole('region', { name: 'Verdict' }).innerText()).toMatch(
      /the evidence was packed before your checkpoint was signed, or entries were removed/,
    );
    expect(await page.locator('.verdict.c-compliant').count()).toBe(0);
    await page.getByText('Computed from the verified entries. Others may have been removed.').waitFor();
    const forged = { name: 'c.txt', mimeType: 'text/plain', buffer: Buffer.from(foreign) };
    await page.getByLabel('Or choose its file').setInputFiles(forged);
    await expect.poll(() => page.getByLabel('Checkpoint that you kept (optional)').inputValue()).toBe(foreign);
    await page.getByRole('button', { name: 'Verify again' }).click();
    await verdict(page, 'Verification failed').waitFor();
    expect(await page.getByRole('region', { name: 'Verdict' }).innerText()).toContain('it was rewritten or forked');
  });

  test('says that the key in the ZIP file proves nothing about who made it', async () => {
    const page = await open();
    await choose(page, 'evidence.zip', zip);
    await verdict(page, 'Consistent, but the key is unknown').waitFor();
    await page.getByLabel('Public key of the log').fill(key);
    await page.getByRole('button', { name: 'Verify again' }).click();
    await verdict(page, 'Verified').waitFor();
  });

  test.each<readonly [string, () => Uint8Array, string]>([
    [
      'an edited entry',
      () => tampered(zip, (files) => edit(files, 'entries.ndjson', (text) => text.replace('"alice"', '"mallory"'))),
      'Entry 3 of organization (line 4 of entries.ndjson) was edited',
    ],
    [
      'a replaced checkpoint',
      () => tampered(zip, (files) => edit(files, 'log/checkpoint', (text) => text.replace('\n610\n', '\n609\n'))),
      'log/checkpoint was changed after it was signed',
    ],
    ['a truncated ZIP file', () => zip.subarray(0, 5_000), 'The ZIP file is damaged or truncated.'],
    ['another file', () => new TextEncoder().encode('<script>alert(1)</script>'), 'This is not a ZIP file.'],
  ])('refuses %s', async (_, content, message) => {
    const page = await open();
    await page.getByLabel('Public key of the log').fill(key);
    await choose(page, 'evidence.zip', content());
    await verdict(page, 'Verification failed').waitFor();
    expect(await page.getByRole('region', { name: 'Verdict' }).innerText()).toContain(message);
  });

  test('refuses another key, and reads a file that is dropped on it', async () => {
    const page = await open();
    await page.getByLabel('Public key of the log').fill(writeVerifierKey(testKey().verifier(ORIGIN)));
    const transfer = await page.evaluateHandle(
      `(() => { const transfer = new DataTransfer(); transfer.items.add(new File([Uint8Array.fromBase64 ? Uint8Array.fromBase64('${zip.toString('base64')}') : new Uint8Array()], 'e.zip')); return transfer; })()`,
    );
    await page.getByText('or drop it here').dispatchEvent('drop', { dataTransfer: transfer });
    await verdict(page, 'Verification failed').waitFor();
    expect(await page.getByRole('region', { name: 'Verdict' }).innerText()).toContain(
      'is not signed by this public key',
    );
  });

  test('axe finds nothing, in light and in dark', async () => {
    const page = await open({ colorScheme: 'light' });
    await choose(page, 'evidence.zip', zip);
    await verdict(page, 'Consistent, but the key is unknown').waitFor();
    // All 200 rows have the same elements and classes. Axe takes longer for them than for the rest of the page.
    await page.locator('tbody tr:nth-child(n + 21)').evaluateAll((rows) => {
      for (const row of rows) row.hidden = true;
    });
    const axe = () => new AxeBuilder({ page }).setLegacyMode();
    const light = await axe().withTags(TAGS).analyze();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await axe().withRules(['color-contrast']).analyze();
    const found = [...light.violations, ...dark.violations];
    expect(found.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }))).toEqual([]);
  });

  test('fits a narrow screen without horizontal scrolling', async () => {
    const page = await open({ viewport: { width: 360, height: 700 } });
    await choose(page, 'evidence.zip', zip);
    await verdict(page, 'Consistent, but the key is unknown').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  });

  test('verifies the evidence of a run in a simulated organization with a key file', async () => {
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(cwd, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
    const { env } = await world();
    const call = (...args: string[]) =>
      rollcall(args, { cwd, env: { ...env, ROLLCALL_CHECKPOINT_KEY: join(cwd, 'key.pem') } });
    expect(await call('apply', '--yes')).toMatchObject({ code: 0 });
    const packed = await call('evidence', '--since', '1h', '--out', 'evidence.zip');
    expect(packed).toMatchObject({ code: 0 });
    expect(packed.stdout).toMatch(
      /^The signed checkpoint of .* covers all of them but the entry that publishes it\.$/m,
    );
    const before = await call('evidence', '--since', '2025-01-01', '--until', '2025-02-01', '--out', 'before.zip');
    expect(before.stdout).toMatch(/^The signed checkpoint of .* covers no entry of this period\.$/m);
    const content = readFileSync(join(cwd, 'evidence.zip'));
    const page = await open();
    await page.getByLabel('Public key of the log').fill(String(publicKey.export({ format: 'pem', type: 'spki' })));
    await choose(page, 'evidence.zip', content);
    // The log has no entry that was written after the period.
    await verdict(page, 'Partly verified').waitFor();
    const rows = page.getByRole('region', { name: 'Table of changes' }).getByRole('row');
    await page.getByRole('searchbox', { name: 'Search changes' }).fill('change by rollcall confirmed');
    await rows.nth(1).waitFor();
    // As the last step of the demo's tour does it: the scan signs a checkpoint that is newer than the period.
    const end = `${new Date().toISOString().slice(0, 19)}Z`;
    expect(await call('scan')).toMatchObject({ code: 0 });
    expect(await call('evidence', '--since', '1d', '--until', end, '--out', 'later.zip')).toMatchObject({ code: 0 });
    await choose(page, 'later.zip', readFileSync(join(cwd, 'later.zip')));
    await verdict(page, 'Verified').waitFor();
  });

  test('may load and send nothing', async () => {
    const text = new TextDecoder().decode(await verifierPage());
    expect(text).toMatch(/Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/);
    expect(text).not.toMatch(/ (?:src|href)="(?!#)/);
    expect(text).not.toMatch(/@import|@font-face|url\(/);
    expect(Buffer.from(await verifierPage()).equals(Buffer.from(await verifierPage()))).toBe(true);
    expect(text.length).toBeLessThan(250_000);
  });
});
