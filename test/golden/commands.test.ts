import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { openApi } from '../../services/cli/api/open-api.ts';
import { loadPolicy } from '../../services/cli/session.ts';
import { startSandbox } from '../../services/sandbox/start.ts';
import { sdkSettings } from '../support/world.ts';
import { timeScale, worldClock } from '../support/world-clock.ts';
import { type Answer, command, contextOf, json, type Place } from './commands.ts';
import { type Json, pretty, Stable } from './stable.ts';

const ORGANIZATIONS = {
  small: { accounts: 12, seed: 1, drift: 0.5 },
  large: { accounts: 20, seed: 2, drift: 0.5, externalId: 'acme-rollcall' },
  regulated: { accounts: 16, seed: 3, drift: 0.4, externalId: 'controls-2026' },
} as const;
type Name = keyof typeof ORGANIZATIONS;

const HOUR = 3_600_000;
/** How long changes stay Pending. The second run confirms them. */
const PENDING_MS = HOUR;
/** Clock milliseconds per real millisecond: pauses between calls are short, and the whole test takes much less than an hour. */
const SPEED = 20;

async function begin(name: Name) {
  const clock = worldClock(timeScale(SPEED));
  const unthrottled = { rate: 0, orgRate: 0 };
  const running = await startSandbox({ ...ORGANIZATIONS[name], ...unthrottled, pendingMs: PENDING_MS, port: 0, clock });
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-golden-'));
  onTestFinished(async () => {
    await running.close();
    rmSync(dataDir, { recursive: true });
  });
  Object.assign(process.env, sdkSettings(running.endpoint, running.info.managementAccountId));
  return { clock, running, dataDir };
}

async function accountsOfApi(place: Place, policy: string): Promise<Json> {
  const { context } = contextOf(place);
  const api = await openApi(context, { host: '127.0.0.1', port: 0 }, await loadPolicy(context, policy), {
    cloud: () => null,
  });
  try {
    const answer = await fetch(`http://127.0.0.1:${api.port}/api/accounts?limit=100`);
    return json.parse(await answer.json());
  } finally {
    await api.close();
  }
}

const entriesSchema = z.object({ entries: z.array(z.record(z.string(), z.json())) });

/** The order of entries of different accounts is not fixed. */
function byChain({ exitCode, document }: Answer): Answer {
  const { entries } = entriesSchema.parse(document);
  const place = ({ chain, seq }: Readonly<Record<string, Json>>): string => `${chain} ${String(seq).padStart(9, '0')}`;
  entries.sort((a, b) => (place(a) < place(b) ? -1 : 1));
  return { exitCode, document: json.parse({ entries }) };
}

test.each(['small', 'large', 'regulated'] as const)('examples/%s.yaml', async (name) => {
  const { clock, running, dataDir } = await begin(name);
  const place = { clock, dataDir };
  // Relative to the root, where tests run, because the output names the file.
  const example = `examples/${name}.yaml`;
  const policy = ['--policy', example];
  const drifted = running.sandbox.accounts().find(({ computeOptimizer }) => computeOptimizer.status === 'Inactive');
  const account = drifted?.accountId ?? running.info.managementAccountId;

  const answers: readonly (readonly [string, Json])[] = await (async () => {
    const all: [string, Json][] = [];
    const keep = async (file: string, ...args: readonly string[]): Promise<void> => {
      const { exitCode, document } = await command(place, ...args);
      all.push([file, { exitCode, document }]);
    };
    const apply = ['apply', ...policy, '--yes', '--wait', '1s'];
    await keep('plan', 'plan', ...policy);
    await keep('apply', ...apply);
    await keep('status', 'status', ...policy);
    await keep('account', 'account', account, ...policy);
    clock.advance(2 * HOUR);
    await keep('apply-again', ...apply);
    await keep('status-again', 'status', ...policy);
    await keep('account-again', 'account', account, ...policy);
    const { exitCode, document } = byChain(await command(place, 'audit', 'list', '--limit', '1000'));
    all.push(['audit-list', { exitCode, document }]);
    await keep('audit-report', 'audit', 'report', '--since', '6h', '--interval', '1h');
    all.push(['accounts', await accountsOfApi(place, example)]);
    return all;
  })();
  const stable = new Stable();
  for (const [file, value] of answers)
    await expect(`${pretty(stable.value(value))}\n`).toMatchFileSnapshot(`${name}/${file}.json`);
});
