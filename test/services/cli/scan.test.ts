import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { auditShape } from './audit-shapes.ts';
import { statusShape } from './shapes.ts';
import { ENROLL, json, place, rollcall, world } from './support.ts';

/** The document of `scan --json`: that of `plan --json`, and what the scan recorded. */
const scanShape = z.looseObject({
  summary: z.unknown(),
  newDrifts: z.number(),
  durationMs: z.number(),
  openDrift: z.object({ enrollments: z.number(), accounts: z.number(), toFix: z.number() }),
});

test('scan records drift and changes nothing; the next scan finds nothing new; exit codes as plan', async () => {
  const { env, running } = await world({ drift: 0.5 });
  const cwd = place({ 'rollcall.yaml': ENROLL });
  const before = running.sandbox.accounts();
  const first = await rollcall(['scan'], { cwd, env });
  expect(first.code, first.stderr).toBe(2);
  const [, drifts, fresh] =
    /^(\d+) open drifts in \d+ accounts: \1 to fix\. (\d+) are new\.$/m.exec(first.stdout) ?? [];
  expect(drifts, first.stdout).toBeDefined();
  expect(fresh).toBe(drifts);
  expect(first.stdout).toMatch(/^Scanned o-\w+ in .*s\. Status known for (\d+) of \1 active accounts\.$/m);
  expect(first.stdout).toMatch(/^Compliance +\d+\.\d% +–$/m);
  expect(first.stdout.trimEnd().split('\n').at(-1)).toBe('Next: rollcall plan');
  const again = await rollcall(['scan', '--json'], { cwd, env });
  expect(again.code).toBe(2);
  const document = scanShape.parse(json(again));
  expect(document).toMatchObject({ newDrifts: 0, openDrift: { enrollments: Number(drifts) } });
  expect(running.sandbox.accounts()).toEqual(before);
  expect(running.sandbox.calls().filter(({ operation }) => operation.startsWith('Update'))).toEqual([]);
  const status = statusShape.parse(json(await rollcall(['status', '--json'], { cwd })));
  expect(status.queue).toMatchObject({ visible: 0, inFlight: 0 });
  expect(status.summary).toEqual(document.summary);
});

test('scan and doctor repeat the policy in the command that they suggest', async () => {
  const { env } = await world({ drift: 0.5 });
  const cwd = place({ 'new.yaml': ENROLL });
  const scan = await rollcall(['scan', '--policy', 'new.yaml'], { cwd, env });
  expect(scan.stdout.trimEnd().split('\n').at(-1)).toBe('Next: rollcall plan --policy new.yaml');
  const doctor = await rollcall(['doctor', '--policy', 'new.yaml'], { cwd, env });
  expect(doctor.stdout.trimEnd().split('\n').at(-1)).toBe('Next: rollcall plan --policy new.yaml');
});

test('scan exits 0 without drift, and works while changes are halted', async () => {
  const { env } = await world({ drift: 0 });
  const cwd = place({ 'rollcall.yaml': ENROLL });
  const clean = await rollcall(['scan'], { cwd, env });
  expect([clean.code, clean.stdout]).toEqual([0, expect.stringContaining('No open drift.')]);
  expect((await rollcall(['halt', '--reason', 'invoice'], { cwd })).code).toBe(0);
  const halted = await rollcall(['scan'], { cwd, env });
  expect(halted.code).toBe(0);
  expect(halted.stdout).toMatch(/^HALTED since .*: "invoice"\./);
});

test('status before the first scan claims nothing: no drift is known, and it does not exit 0', async () => {
  const cwd = place({ 'rollcall.yaml': ENROLL });
  await (await openStore({ dataDir: join(cwd, '.rollcall'), readOnly: false })).close();
  const { code, stdout } = await rollcall(['status'], { cwd });
  expect(stdout).toContain('No scan has completed yet, so drift is not known. Next: rollcall scan');
  expect(stdout).not.toContain('No open drift');
  expect(code).toBe(3);
});

test('scan under a change cap trips no guardrail', async () => {
  const { env } = await world({ drift: 0.8 });
  const cwd = place({ 'rollcall.yaml': ENROLL.replace('percent: 100, atLeast: 10', 'percent: 0, atLeast: 1') });
  expect((await rollcall(['scan'], { cwd, env })).code).toBe(2);
  const tripped = await rollcall(['audit', 'list', '--type', 'GuardrailTripped', '--json'], { cwd });
  expect(auditShape.parse(json(tripped)).entries).toEqual([]);
});
