import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpWebhook } from '../../../../shared/adapters/system/webhook.ts';
import type { Deps } from '../../../../shared/app/context.ts';
import { Alerts } from '../../../../shared/app/notifications/webhook-alerts.ts';
import { Secret } from '../../../../shared/domain/policy/index.ts';
import type { WebhookEvent } from '../../../../shared/domain/policy/types.ts';
import { ACTIVE_POLICY } from '../../../support/domain-kit.ts';
import { answering, type WebhookReceiver, webhookReceiver } from '../../../support/webhook-receiver.ts';
import { Workshop } from '../../../support/workshop.ts';
import { detail, record } from './news.ts';

const ALL: readonly WebhookEvent[] = ['drift', 'failed', 'blocked', 'stalled', 'guardrail', 'halt'];
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let shop: Workshop;
let deps: Deps;
let receiver: WebhookReceiver;
const logged: { readonly level: string; readonly message: string; readonly fields: unknown }[] = [];

beforeEach(async () => {
  shop = await Workshop.open({ policy: ACTIVE_POLICY });
  logged.length = 0;
  const write = (level: string) => (message: string, fields?: unknown) => void logged.push({ level, message, fields });
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  deps = shop.deps({ logger });
});
afterEach(() => shop.close());

/** Alerts as a separate process has them. */
function process(events = ALL): Alerts {
  const { clock } = shop;
  const webhook = httpWebhook({ url: new Secret(receiver.url), secret: new Secret('k3y'), clock, timeoutMs: 300 });
  return new Alerts(deps, webhook, events);
}

const counts = () => receiver.received.map(({ message }) => message.rollcall.counts);

describe('alerts', () => {
  it('report 5,000 drifts in one message, once, and no earlier entries', async () => {
    receiver = await webhookReceiver();
    await record(deps, 'DriftDetected', [1]);
    await shop.clock.advance(SECOND);
    const alerts = process();
    await alerts.begin();
    const members = Array.from({ length: 5_000 }, (_, n) => n);
    for (let at = 0; at < members.length; at += 1_000) {
      await record(deps, 'DriftDetected', members.slice(at, at + 1_000));
      expect(await alerts.step()).toEqual({ kind: 'gathering', entries: 0 });
      await shop.clock.advance(5 * SECOND);
    }
    await shop.clock.advance(15 * SECOND);
    expect(await alerts.step()).toEqual({ kind: 'delivered', entries: 5_000 });
    expect(await alerts.step()).toMatchObject({ kind: 'nothing' });
    expect(counts()).toEqual([{ drift: 5_000 }]);
    const [{ message } = expect.fail('nothing came')] = receiver.received;
    expect(message.text).toContain('5000 drifts in 5000 accounts');
    expect(message.text).toContain('… and 4995 more');
    expect(message.text.length).toBeLessThan(4_000);
    // A process that starts later does not report them again.
    await shop.clock.advance(2 * MINUTE);
    expect(await process().step()).toMatchObject({ kind: 'nothing' });
    expect(receiver.received).toHaveLength(1);
  });

  it('wait for a quiet period with a limit, and report urgent entries immediately', async () => {
    receiver = await webhookReceiver();
    const alerts = process();
    await alerts.begin();
    let delivered = 0;
    for (let at = 0; at < 24; at += 1) {
      await record(deps, 'RemediationFailed', [at]);
      if ((await alerts.step()).kind === 'delivered') delivered += 1;
      await shop.clock.advance(10 * SECOND);
    }
    expect(delivered).toBe(1);
    await record(deps, 'EnforcementHalted', [null], { reason: 'incident', actor: 'os:jane' });
    expect(await alerts.step()).toMatchObject({ kind: 'delivered' });
    expect(receiver.received.at(-1)?.message.text).toMatch(/enforcement halted by os:jane \(incident\)/);
    expect(counts().reduce((sum, { failed = 0 }) => sum + failed, 0)).toBe(24);
  });

  it('report the chosen events, and no changes that only wait', async () => {
    receiver = await webhookReceiver();
    const alerts = process(['stalled', 'blocked']);
    await alerts.begin();
    await record(deps, 'DriftDetected', [1]);
    await record(deps, 'ConvergenceStalled', [2]);
    await record(deps, 'RemediationBlocked', [3], { reason: 'window' });
    await record(deps, 'RemediationBlocked', [4], { reason: 'denied' });
    await record(deps, 'FlapDetected', [5], { reason: 'contested' });
    expect(await alerts.step(true)).toEqual({ kind: 'delivered', entries: 3 });
    expect(counts()).toEqual([{ stalled: 1, blocked: 2 }]);
  });

  it('name who changed it, and let no text ping a channel', async () => {
    receiver = await webhookReceiver();
    const alerts = process();
    await alerts.begin();
    const changedBy = { actor: 'arn:aws:sts::1:assumed-role/A/jane', operation: 'X', requestId: null, at: '' };
    await record(deps, 'DriftDetected', [1], { detail: detail('<!channel> & more\nlines', { changedBy }) });
    await alerts.step(true);
    const text = receiver.received[0]?.message.text ?? '';
    expect(text).toContain('&lt;!channel&gt; &amp; more lines');
    expect(text).toContain('changed by arn:aws:sts::1:assumed-role/A/jane');
    expect(text).not.toContain('<!channel>');
  });

  it('are retried with growing pauses, with the same message and id, while other messages wait', async () => {
    receiver = await webhookReceiver();
    receiver.behave = answering(500);
    const alerts = process();
    await alerts.begin();
    await record(deps, 'DriftDetected', [1]);
    expect(await alerts.step(true)).toMatchObject({ kind: 'failed' });
    expect(await alerts.step()).toMatchObject({ kind: 'pausing' });
    await record(deps, 'DriftDetected', [2]);
    const pauses: number[] = [];
    for (let waited = 0; pauses.length < 6; ) {
      await shop.clock.advance(SECOND);
      waited += 1;
      if ((await process().step()).kind !== 'failed') continue;
      pauses.push(waited);
      waited = 0;
    }
    // 5 s, doubled each time, three quarters of it at this random source's middle.
    expect(pauses).toEqual([4, 8, 15, 30, 60, 120]);
    receiver.behave = answering(204);
    await shop.clock.advance(15 * MINUTE);
    expect(await alerts.step()).toEqual({ kind: 'delivered', entries: 1 });
    await shop.clock.advance(MINUTE);
    expect(await alerts.step()).toEqual({ kind: 'delivered', entries: 1 });
    const names = receiver.received.map(({ message }) => message.rollcall.delivery);
    expect(new Set(names.slice(0, -1)).size).toBe(1);
    expect(new Set(receiver.received.slice(0, -1).map(({ body }) => body)).size).toBe(1);
    expect(names.at(-1)).not.toBe(names[0]);
    expect(JSON.stringify(logged)).not.toMatch(/s3cr3t|k3y/);
    expect(logged[0]).toMatchObject({ level: 'warn', fields: { reason: 'HTTP 500', attempts: 1 } });
  });

  it('drop a message that was not accepted for a day, and continue with the next', async () => {
    receiver = await webhookReceiver();
    receiver.behave = answering(400);
    const alerts = process();
    await alerts.begin();
    await record(deps, 'DriftDetected', [1]);
    await alerts.step(true);
    await shop.clock.advance(25 * 60 * MINUTE);
    await record(deps, 'DriftDetected', [2]);
    await alerts.step();
    expect(logged.at(-1)).toMatchObject({ level: 'error', fields: { entries: 1, reason: 'HTTP 400' } });
    receiver.behave = answering(200);
    await shop.clock.advance(MINUTE);
    expect(await alerts.step()).toEqual({ kind: 'delivered', entries: 1 });
  });

  it('are stored without the URL and the secret', async () => {
    receiver = await webhookReceiver();
    receiver.behave = answering(500);
    const alerts = process();
    await alerts.begin();
    await record(deps, 'DriftDetected', [1]);
    await alerts.step(true);
    const registers = await deps.registers.list('');
    expect(registers.map(({ name }) => name)).toContain('alerts');
    expect(JSON.stringify(registers)).not.toMatch(/s3cr3t|k3y|127\.0\.0\.1/);
  });
});
