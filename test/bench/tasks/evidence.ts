import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CDPSession } from 'playwright-core';
import * as z from 'zod';
import { verifierPage } from '../../../services/verifier/page.ts';
import { entriesOf, OLDEST_FIRST } from '../../../shared/app/queries/audit/all-entries.ts';
import { packEvidence } from '../../../shared/app/queries/evidence/evidence.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { writeVerifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import { account, sealAll } from '../../contract/samples.ts';
import { startBrowser } from '../../e2e/browser.ts';
import { ORIGIN, TestLog, testKey } from '../../support/evidence-log.ts';
import { fillLedger } from '../audit-ledger.ts';
import { answer, elapsed, inDirectory, taskInput } from '../workbench.ts';

/* Packs the evidence of all entries of a store, and verifies it in a real browser without a network. */

const input = z.object({ accounts: z.number(), entriesPerAccount: z.number(), rounds: z.number() });
const { accounts, entriesPerAccount, rounds } = input.parse(taskInput());

const PATIENCE_MS = 300_000;

interface Made {
  readonly zip: Buffer;
  readonly key: string;
  readonly entries: number;
  readonly packMs: number[];
}

async function made(dataDir: string): Promise<Made> {
  const store = await openStore({ dataDir, readOnly: false });
  const { entries, lastAt } = await fillLedger(store.ledger, { accounts, entriesPerAccount });
  const key = testKey();
  const log = new TestLog(key);
  for await (const entry of entriesOf(store.ledger, {}, OLDEST_FIRST)) log.append([entry]);
  const until = new Date(lastAt + 1).toISOString();
  // An entry after the period shows that the checkpoint covers all of it.
  const later = sealAll(account(999_999), [{ at: until }]);
  await store.ledger.append(later);
  log.append(later);
  await log.publish(until);
  const verifier = key.verifier(ORIGIN);
  const period = { since: '2025-01-01T00:00:00.000Z', until };
  const request = { ...period, organizationId: null, version: 'bench', key: verifier, page: await verifierPage() };
  const packMs: number[] = [];
  let zip = Buffer.alloc(0);
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    const parts: Uint8Array[] = [];
    for await (const piece of packEvidence(store, log, request).pieces) parts.push(piece);
    packMs.push(elapsed(start));
    zip = Buffer.concat(parts);
  }
  await store.close();
  return { zip, key: writeVerifierKey(verifier), entries, packMs };
}

interface Verified {
  /** From the choice of the file to the verdict. */
  readonly wallMs: number[];
  /** Of the page's thread, which other programs on the machine do not lengthen. */
  readonly processorMs: number[];
}

async function verified(directory: string, { zip, key }: Made): Promise<Verified> {
  const [file, page] = [join(directory, 'evidence.zip'), join(directory, 'verify.html')];
  await writeFile(file, zip);
  await writeFile(page, await verifierPage());
  const browser = await startBrowser();
  try {
    const times: Verified = { wallMs: [], processorMs: [] };
    for (let round = 0; round < rounds; round += 1) {
      const context = await browser.newContext({ offline: true });
      const tab = await context.newPage();
      tab.setDefaultTimeout(PATIENCE_MS);
      await tab.goto(pathToFileURL(page).href);
      await tab.getByLabel('Public key of the log').fill(key);
      const session = await context.newCDPSession(tab);
      await session.send('Performance.enable', { timeDomain: 'threadTicks' });
      const before = await busyMs(session);
      const start = performance.now();
      await tab.getByLabel('Evidence (ZIP file)').setInputFiles(file);
      await tab.getByRole('region', { name: 'Verdict' }).waitFor();
      times.wallMs.push(elapsed(start));
      times.processorMs.push((await busyMs(session)) - before);
      const verdict = await tab.getByRole('region', { name: 'Verdict' }).innerText();
      if (!verdict.startsWith('Verified\n')) throw new Error(`the page says: ${verdict}`);
      await context.close();
    }
    return times;
  } finally {
    await browser.close();
  }
}

async function busyMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  const task = metrics.find(({ name }) => name === 'TaskDuration');
  if (task === undefined) throw new Error('the browser does not measure its tasks');
  return task.value * 1_000;
}

await inDirectory(async (directory) => {
  const evidence = await made(directory);
  const { entries, packMs, zip } = evidence;
  answer({ entries, packMs, ...(await verified(directory, evidence)), megabytes: zip.length / 1e6 });
});
