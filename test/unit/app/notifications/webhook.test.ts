import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { httpWebhook } from '../../../../shared/adapters/system/webhook.ts';
import { Secret } from '../../../../shared/domain/policy/index.ts';
import { accepting, answering, closing, hanging, webhookReceiver } from '../../../support/webhook-receiver.ts';

const BODY = JSON.stringify({
  text: 'hello',
  rollcall: { delivery: 'd-1', counts: {}, entries: [], total: 0, since: '', until: '' },
});
const clock = { now: () => 1_793_610_000_123 };

describe('a webhook over HTTP', () => {
  it('is posted JSON whose signature the receiver can check', async () => {
    const receiver = await webhookReceiver();
    const webhook = httpWebhook({ url: new Secret(receiver.url), secret: new Secret('k3y'), clock });
    expect(await webhook.post('d-1', BODY)).toEqual({ ok: true });
    const [got] = receiver.received;
    expect(got?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-rollcall-delivery': 'd-1',
      'x-rollcall-timestamp': '1793610000',
    });
    const expected = createHmac('sha256', 'k3y').update(`1793610000.${got?.body}`).digest('hex');
    expect(got?.headers['x-rollcall-signature']).toBe(`v1=${expected}`);
  });

  it('is not signed without a secret', async () => {
    const receiver = await webhookReceiver();
    await httpWebhook({ url: new Secret(receiver.url), secret: null, clock }).post('d-1', BODY);
    expect(receiver.received[0]?.headers).not.toHaveProperty('x-rollcall-signature');
  });

  it('fails only with a reason, whatever the receiver does', async () => {
    const receiver = await webhookReceiver();
    const webhook = httpWebhook({ url: new Secret(receiver.url), secret: new Secret('k3y'), clock, timeoutMs: 150 });
    const outcomes: string[] = [];
    const other = await webhookReceiver();
    for (const behave of [
      answering(500),
      answering(429, { 'retry-after': '7' }),
      answering(503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }),
      answering(503, { 'retry-after': 'Mon, 02 Nov 2026 09:41:00 GMT' }),
      answering(503, { 'retry-after': 'Monday, 02-Nov-26 09:41:00 GMT' }),
      answering(503, { 'retry-after': 'Mon Nov  2 09:41:00 2026' }),
      answering(503, { 'retry-after': 'Mon, 02 Nov 2099 09:41:00 GMT' }),
      answering(503, { 'retry-after': '2026-11-02T09:41:00Z' }),
      answering(503, { 'retry-after': '-5' }),
      answering(307, { location: other.url }),
      closing,
      hanging,
    ]) {
      receiver.behave = behave;
      const answer = await webhook.post('d-1', BODY);
      if (answer.ok) expect.fail('accepted');
      outcomes.push(`${answer.reason}; ${answer.retryAfterMs}`);
      expect(inspect(answer, { depth: 9, showHidden: true })).not.toMatch(/s3cr3t|k3y|127\.0\.0\.1/);
    }
    expect(outcomes).toEqual([
      'HTTP 500; null',
      'HTTP 429; 7000',
      'HTTP 503; null',
      'HTTP 503; 2459877',
      'HTTP 503; 2459877',
      'HTTP 503; 2459877',
      'HTTP 503; 3600000',
      'HTTP 503; null',
      'HTTP 503; null',
      'HTTP 307, a redirect, which is not followed; null',
      'ECONNRESET; null',
      'Timeout; null',
    ]);
    expect(other.received).toEqual([]);
  });

  it('does not read an endless response', async () => {
    const receiver = await webhookReceiver();
    receiver.behave = (response) => {
      response.writeHead(200);
      const endless = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => clearInterval(endless));
    };
    const webhook = httpWebhook({ url: new Secret(receiver.url), secret: null, clock, timeoutMs: 2_000 });
    expect(await webhook.post('d-1', BODY)).toEqual({ ok: true });
  });

  it('fails with an error that does not name the host if nothing listens', async () => {
    const receiver = await webhookReceiver();
    receiver.behave = accepting;
    for (const url of ['http://127.0.0.1:1/s3cr3t', 'https://no-such-host.invalid/s3cr3t']) {
      const answer = await httpWebhook({ url: new Secret(url), secret: null, clock, timeoutMs: 2_000 }).post('d', BODY);
      expect(answer).toMatchObject({
        ok: false,
        reason: expect.stringMatching(/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|Timeout)$/),
      });
    }
  });
});
