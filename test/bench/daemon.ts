import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from './sandbox.ts';

const CLI = fileURLToPath(new URL('../../services/cli/main.mjs', import.meta.url));
const SCAN_WAIT_MS = 120_000;
const CHECK_MS = 50;

/** A running `rollcall serve` with the embedded store. */
export interface Daemon {
  /** The URL of its API, with a trailing slash. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts `rollcall serve` in `directory` and waits for the end of its first scan. */
export async function startDaemon(sandbox: Sandbox, directory: string, callsPerSecond: number): Promise<Daemon> {
  const policy = join(directory, 'rollcall.yaml');
  writeFileSync(
    policy,
    [
      'version: 1',
      'defaults: { computeOptimizer: Active }',
      'guardrails: { maxChanges: { percent: 100, atLeast: 1 } }',
      `limits: { callsPerSecond: ${callsPerSecond}, concurrency: 8 }`,
      '',
    ].join('\n'),
  );
  const args = ['serve', '--policy', policy, '--data-dir', join(directory, 'store'), '--port', '0'];
  const child = spawn(process.execPath, ['--max-semi-space-size=8', CLI, ...args], {
    env: { ...process.env, ...sandbox.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const said = watchText(child.stderr);
  await said.until('ended: ');
  const url = /(http:\S+\/)/.exec(said.text())?.[1];
  if (url === undefined) throw new Error(`the daemon did not print its URL:  ${said.text()}`);
  return {
    url,
    async close() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Collects the output of a stream and waits for text in it. */
function watchText(stream: Readable) {
  let text = '';
  stream.on('data', (part: Buffer) => {
    text += part.toString();
  });
  return {
    text: () => text,
    async until(what: string): Promise<void> {
      const signal = AbortSignal.timeout(SCAN_WAIT_MS);
      while (!text.includes(what)) {
        await Promise.race([once(stream, 'data', { signal }), once(stream, 'end', { signal })]);
        if (stream.readableEnded) throw new Error(`the daemon ended: ${text}`);
      }
    },
  };
}

/** Makes this share of the members drift and requests a scan. Returns when remediation has started. */
export async function driftAndScan(sandbox: Sandbox, url: string, share: number): Promise<void> {
  const members = (await sandbox.accounts()).filter(({ state, management }) => state === 'ACTIVE' && !management);
  const drifted = members.slice(0, Math.floor(members.length * share)).map(({ accountId }) => accountId);
  await sandbox.drift(drifted, 'computeOptimizer');
  const asked = await fetch(`${url}api/scan`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  if (!asked.ok) throw new Error(`no scan: ${await asked.text()}`);
  const end = performance.now() + SCAN_WAIT_MS;
  while ((await sandbox.mutatingCalls()).count < 100) {
    if (performance.now() > end) throw new Error('the daemon did not start to remediate');
    await sleep(CHECK_MS);
  }
}
