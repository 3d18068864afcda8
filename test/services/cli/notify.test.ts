import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { JANE, optedOut, organizationCall } from '../../support/cloud-trail-events.ts';
import { hanging, webhookReceiver } from '../../support/webhook-receiver.ts';
import { auditShape } from './audit-shapes.ts';
import { applyShape } from './shapes.ts';
import {
  allEnrolled,
  ENROLL,
  EVERYTHING_ON,
  ended,
  json,
  place,
  rollcall,
  said,
  saidBy,
  start,
  world,
} from './support.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file's own variables
const NOTIFY = 'notify: { eventBus: default, webhook: { url: "${HOOK}", secret: "${HOOK_SECRET}" } }\n';

describe('notifications', () => {
  test('apply publishes every entry on the bus, sends one message to the webhook, and shows no secret', async () => {
    const { env, running } = await world({ accounts: 20, drift: 0.5 });
    const receiver = await webhookReceiver();
    const cwd = place({ 'rollcall.yaml': `${EVERYTHING_ON}${NOTIFY}` });
    const own = { ...env, HOOK: receiver.url, HOOK_SECRET: 'k3y' };
    const applied = await rollcall(['apply', '--yes', '--json', '--verbose'], { cwd, env: own });
    const run = applyShape.parse(json(applied));
    expect(run.changes.succeeded).toBeGreaterThan(0);
    const published = running.sandbox.events().map(({ DetailType }) => DetailType);
    expect(published).toContain('Scan Completed');
    expect(published.filter((type) => type === 'Remediation Succeeded')).toHaveLength(run.changes.succeeded);
    const drifts = published.filter((type) => type === 'Drift Detected').length;
    expect(receiver.received.map(({ message }) => message.rollcall.counts['drift'])).toEqual([drifts]);
    expect(receiver.received[0]?.headers['x-rollcall-signature']).toMatch(/^v1=[0-9a-f]{64}$/);
    const audit = await rollcall(['audit', 'list', '--json'], { cwd, env: own });
    expect(applied.stdout + applied.stderr + audit.stdout).not.toMatch(/k3y|s3cr3t/);
    expect(JSON.stringify(running.sandbox.events())).not.toMatch(/k3y|s3cr3t/);
  });

  test('with a webhook that hangs, serve still remediates drift, and ends on SIGTERM', async () => {
    const { env, running } = await world({ accounts: 12, drift: 0.5 });
    const receiver = await webhookReceiver();
    receiver.behave = hanging;
    const cwd = place({ 'rollcall.yaml': `${EVERYTHING_ON}${NOTIFY}` });
    const enrolled = allEnrolled(running);
    const child = start(['serve', '--json', '--port', '0'], {
      cwd,
      env: { ...env, HOOK: receiver.url, HOOK_SECRET: 'k3y' },
    });
    const address = saidBy(child, /API and dashboard at (\S+)/);
    const member = running.sandbox
      .accounts()
      .find((each) => !each.management && each.state === 'ACTIVE' && each.computeOptimizer.status === 'Active');
    const accountId = member?.accountId ?? '';
    await enrolled;

    // A forwarder of AWS's events posts them here, so that the account is read now, not with the next scan.
    running.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    const again = allEnrolled(running);
    const post = async (body: unknown, path = '/api/events'): Promise<unknown> => {
      const headers = { 'content-type': 'application/json' };
      return (
        await fetch(new URL(path, await address), { method: 'POST', headers, body: JSON.stringify(body) })
      ).json();
    };
    expect(await post(optedOut(accountId, Date.now()))).toMatchObject({ queued: [accountId], rejected: null });
    expect(await post({ ...optedOut(accountId, 0), account: '1' })).toMatchObject({
      queued: [],
      rejected: expect.any(String),
    });
    await again;
    const drift = ['--account', accountId, '--enrollment', 'computeOptimizer', '--type', 'DriftDetected'];
    const listed = await rollcall(['audit', 'list', ...drift, '--json'], { cwd });
    const { entries } = auditShape.parse(json(listed));
    expect(entries[0]?.['detail']).toMatchObject({ changedBy: { actor: JANE(accountId) } });

    // The policy does not use tags, but a suspension does, so they are read with the account that an event names.
    expect(await post({ selector: 'tag:tier=gold' }, '/api/suspend')).toMatchObject({ selector: 'tag:tier=gold' });
    running.sandbox.changeAccounts({ update: [{ accountId, tags: { tier: 'silver' } }] });
    const tagging = { resourceId: accountId, tags: [{ key: 'tier', value: 'silver' }] };
    const by = { account: running.sandbox.info().managementAccountId, at: Date.now() };
    expect(await post(organizationCall('TagResource', tagging, by))).toMatchObject({ refreshed: [accountId] });
    const known = await fetch(new URL(`/api/accounts/${accountId}`, await address));
    expect(await known.json()).toMatchObject({ account: { tags: { tier: 'silver' } }, suspension: null });
    child.kill('SIGTERM');
    const result = await ended(child);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toContain('the webhook did not accept a message');
    expect(result.stderr + result.stdout).not.toMatch(/k3y|s3cr3t/);
  }, 60_000);
});

describe('a policy that changes while serve runs', () => {
  test('takes effect with an immediate scan; an invalid one is reported, and the current one stays in force', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const write = (text: string) => writeFileSync(join(cwd, 'rollcall.yaml'), text);
    const child = start(['serve', '--json'], { cwd, env });
    const end = ended(child);
    await said(child, ' ended: ');
    write(`${ENROLL}rules: [{ id: a }]\n`);
    await said(child, 'the changed policy cannot be used');
    write(`${ENROLL}pendingDeadline: 12h\n`);
    await said(child, ' replaces ');
    await said(child, ' ended: ');
    child.kill('SIGTERM');
    const result = await end;
    expect(result).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ scans: 2 });
    expect(result.stderr).toMatch(/rollcall\.yaml:\d+:\d+: error: /);
    expect(result.stderr).toMatch(/[0-9a-f]{12} stays in force/);
  }, 60_000);
});
