import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nextPolicy } from '../../../../services/cli/policy-watch.ts';
import { policyOf } from '../../../../services/cli/session.ts';
import { manualClock } from '../../../support/manual-clock.ts';

const POLL_MS = 5_000;
const ENROLL = 'version: 1\ndefaults: { computeOptimizer: Active }\n';
const INVALID = 'version: 1\ndefaults: { computeOptimiser: Active }\n';

/** A watched policy file. `parsed` counts how often the policy is parsed, because parsing asks for the time. */
async function watched() {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-watch-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'rollcall.yaml');
  const clock = manualClock();
  const counts = { parsed: 0 };
  const now = (): number => {
    counts.parsed += 1;
    return clock.now();
  };
  const context = { clock: { ...clock, now }, env: {} };
  writeFileSync(file, ENROLL);
  const inForce = await policyOf({ file, source: Buffer.from(ENROLL) }, { clock, env: {} });
  const said: string[] = [];
  const end = new AbortController();
  const next = nextPolicy(context, inForce, end.signal, (text) => said.push(text));
  onTestFinished(() => end.abort());
  return { file, clock, counts, inForce, said, next };
}

test('a file that has not changed is not parsed again', async () => {
  const { clock, counts, said, file, next } = await watched();
  await clock.advance(10 * POLL_MS);
  expect(counts.parsed).toBe(0);
  writeFileSync(file, `${ENROLL}# a comment\n`);
  await clock.advance(10 * POLL_MS);
  expect(counts.parsed).toBe(1);
  writeFileSync(file, `${ENROLL}schedule: 2h\n`);
  await clock.advance(POLL_MS);
  expect((await next)?.policy.policy.schedule).toEqual({ everyMs: 7_200_000 });
  expect(said).toEqual([]);
});

test('each fault is reported once, and again when it comes back', async () => {
  const { clock, said, file } = await watched();
  writeFileSync(file, INVALID);
  await clock.advance(3 * POLL_MS);
  expect(said).toHaveLength(1);
  expect(said[0]).toContain('stays in force');
  rmSync(file);
  await clock.advance(3 * POLL_MS);
  expect(said).toHaveLength(2);
  writeFileSync(file, ENROLL);
  await clock.advance(3 * POLL_MS);
  rmSync(file);
  await clock.advance(3 * POLL_MS);
  expect(said).toHaveLength(3);
  writeFileSync(file, ENROLL);
  await clock.advance(3 * POLL_MS);
  rmSync(file);
  await clock.advance(3 * POLL_MS);
  expect(said).toHaveLength(4);
});
