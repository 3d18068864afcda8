import { describe, expect, it } from 'vitest';
import { httpWebhook } from '../../shared/adapters/system/webhook.ts';
import { react } from '../../shared/app/events/event-handler.ts';
import { Alerts } from '../../shared/app/notifications/webhook-alerts.ts';
import { auditReport, type Report } from '../../shared/app/queries/audit/report.ts';
import { type Status, status } from '../../shared/app/queries/status.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { Secret } from '../../shared/domain/policy/index.ts';
import { JANE, optedOut } from '../support/cloud-trail-events.ts';
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;
/** The world begins on a Monday, 09:00 UTC. */
const AFTERNOON = 'schedule: 12h\nwindows: [{ kind: allow, cron: "0 14 * * *", duration: 2h }]';
const OPENS = Date.parse('2026-11-02T14:00:00.000Z');

/** All places that report drift: ledger, alerts, status and report. */
class Observer {
  readonly world: World;
  readonly #receiver: WebhookReceiver;

  constructor(world: World, receiver: WebhookReceiver) {
    this.world = world;
    this.#receiver = receiver;
  }

  static async of(world: World): Promise<Observer> {
    const observer = new Observer(world, await webhookReceiver());
    // Entries from before the webhook's first delivery are not announced.
    const app = await world.app();
    await observer.#alerts(app).begin();
    await world.stop(app);
    return observer;
  }

  #alerts(app: Runtime): Alerts {
    const webhook = httpWebhook({ url: new Secret(this.#receiver.url), secret: null, clock: this.world.clock });
    return new Alerts(app.deps, webhook, ['drift', 'blocked', 'failed', 'stalled']);
  }

  /** The alerts that the webhook receives for new entries. */
  async announced(app: Runtime): Promise<Readonly<Record<string, number>>> {
    const before = this.#receiver.received.length;
    await this.#alerts(app).step(true);
    return this.#receiver.received.slice(before).at(-1)?.message.rollcall.counts ?? {};
  }

  openDrift(): Promise<Status['openDrift']> {
    return this.world.look(async (store) => (await status(store, { now: this.world.clock.now() })).openDrift);
  }

  report(): Promise<Report> {
    const until = new Date(this.world.clock.now() + 1).toISOString();
    const since = new Date(this.world.clock.now() - 7 * 24 * HOUR_MS).toISOString();
    return this.world.look((store) => auditReport(store, { since, until, intervalMs: 24 * HOUR_MS, top: 5 }));
  }

  entries(accountId: string, enrollment: EnrollmentId): Promise<readonly LedgerEntry[]> {
    return this.world.look(async ({ ledger }) =>
      (await ledger.read(accountId, 0, 500)).filter((entry) => entry.enrollment === enrollment),
    );
  }
}

const typesOf = (entries: readonly LedgerEntry[]): readonly string[] => entries.map(({ type }) => type);

describe('drift that cannot be remediated immediately', () => {
  it('in a closed window: detected and announced by the scan, then waiting, then resolved', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0 }, policy: { more: AFTERNOON } });
    await world.run();
    const observer = await Observer.of(world);
    const { accountId } = world.member(({ computeOptimizer }) => computeOptimizer.status === 'Active');
    world.clock.advance(HOUR_MS);
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    const run = await world.run();
    expect(run.open).toMatchObject([{ accountId, verdict: 'Blocked', reason: 'window' }]);

    const [detected, blocked, ...rest] = await observer.entries(accountId, 'computeOptimizer');
    expect(detected).toMatchObject({
      type: 'DriftDetected',
      after: { verdict: 'Drifted', reason: 'statusDiffers', status: 'Inactive', desired: 'Active' },
    });
    expect(blocked).toMatchObject({ type: 'RemediationBlocked', reason: 'window', before: detected?.after });
    expect(rest).toEqual([]);
    const since = detected?.at ?? '';
    expect(await observer.openDrift()).toMatchObject({ enrollments: 1, oldestSince: since });
    expect((await observer.report()).now.openDrifts.count).toBe(1);

    const app = await world.app();
    // A closed window ends by itself, so no `blocked` alert is sent.
    expect(await observer.announced(app)).toEqual({ drift: 1 });
    world.clock.advanceTo(OPENS);
    await world.work(app);
    expect(await observer.announced(app)).toEqual({});
    const entries = await observer.entries(accountId, 'computeOptimizer');
    expect(typesOf(entries).filter((type) => type === 'DriftDetected')).toHaveLength(1);
    const resolved = entries.at(-1);
    expect(resolved?.type).toBe('DriftResolved');
    const { now, drifts } = await observer.report();
    expect(now.openDrifts.count).toBe(0);
    expect(drifts).toMatchObject({ detected: 1, resolved: 1 });
    expect(drifts.timeToResolve.maxMs).toBe(Date.parse(resolved?.at ?? '') - Date.parse(since));
    expect(drifts.timeToResolve.maxMs).toBeGreaterThan(3.9 * HOUR_MS);
    expect(await observer.openDrift()).toMatchObject({ enrollments: 0, oldestSince: null });
    await world.stop(app);
    await checkWorld(world);
  });

  it('in a closed window, after an event: names the actor', async () => {
    const world = await startWorld({ sandbox: { accounts: 12, drift: 0 }, policy: { more: AFTERNOON } });
    await world.run();
    const observer = await Observer.of(world);
    const { accountId } = world.member(({ computeOptimizer }) => computeOptimizer.status === 'Active');
    world.clock.advance(HOUR_MS);
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    const app = await world.app();
    const { policy } = world.context(app);
    const parts = { ...app.deps, readAccount: async () => null };
    const reaction = await react(parts, async () => policy.hash, optedOut(accountId, world.clock.now()));
    expect(reaction.queued).toEqual([accountId]);
    await world.work(app);
    const [detected, blocked] = await observer.entries(accountId, 'computeOptimizer');
    expect(detected).toMatchObject({ type: 'DriftDetected', detail: { changedBy: { actor: JANE(accountId) } } });
    expect(blocked).toMatchObject({ type: 'RemediationBlocked', reason: 'window' });
    expect(await observer.announced(app)).toEqual({ drift: 1 });
    await world.stop(app);
    await checkWorld(world);
  });

  it('of a new account: joined, detected, waiting', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0.3 }, policy: { more: AFTERNOON } });
    const observer = await Observer.of(world);
    const { plan } = await world.run();
    expect(plan.changes.length).toBeGreaterThan(2);
    expect((await observer.openDrift()).enrollments).toBe(plan.changes.length);
    for (const { accountId } of plan.changes) {
      expect(typesOf(await observer.entries(accountId, 'computeOptimizer'))).toEqual([
        'DriftDetected',
        'RemediationBlocked',
      ]);
    }
    const app = await world.app();
    expect(await observer.announced(app)).toEqual({ drift: plan.changes.length });
    await world.stop(app);
    await checkWorld(world);
  });

  it('in the cool-down of Automation: open, announced, and as old as its first observation', async () => {
    const world = await startWorld({
      sandbox: { accounts: 16, drift: 0 },
      policy: { automation: 'Active', more: 'schedule: 24h' },
    });
    await world.run({ waitMs: HOUR_MS });
    const observer = await Observer.of(world);
    const { accountId } = world.member(({ automation }) => automation.status === 'Active');
    world.clock.advance(HOUR_MS);
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'automation', status: 'Inactive' }] });
    const before = (await observer.entries(accountId, 'automation')).length;
    const run = await world.run();
    expect(run.open).toMatchObject([{ accountId, verdict: 'Blocked', reason: 'coolDown' }]);
    const [detected, blocked] = (await observer.entries(accountId, 'automation')).slice(before);
    expect(detected).toMatchObject({ type: 'DriftDetected', after: { verdict: 'Drifted' } });
    expect(blocked).toMatchObject({ type: 'RemediationBlocked', reason: 'coolDown' });
    expect(await observer.openDrift()).toMatchObject({ enrollments: 1, oldestSince: detected?.at });
    const app = await world.app();
    expect(await observer.announced(app)).toEqual({ drift: 1 });
    world.clock.advance(12 * HOUR_MS);
    expect((await observer.report()).now.openDrifts.maxMs).toBeGreaterThanOrEqual(12 * HOUR_MS);
    world.clock.advance(12 * HOUR_MS);
    await world.work(app);
    await world.stop(app);
    expect((await observer.entries(accountId, 'automation')).at(-1)?.type).toBe('DriftResolved');
    const { drifts } = await observer.report();
    expect(drifts.timeToResolve.maxMs).toBeGreaterThanOrEqual(24 * HOUR_MS);
    await checkWorld(world);
  });

  it('under a denied role: stays one open drift through every attempt, until the role works again', async () => {
    const world = await startWorld({ sandbox: { accounts: 16, drift: 0 } });
    await world.run();
    const observer = await Observer.of(world);
    const { accountId } = world.member(({ computeOptimizer }) => computeOptimizer.status === 'Active');
    world.sandbox.changeAccounts({ update: [{ accountId, roleAssumable: false }] });
    world.clock.advance(HOUR_MS);
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    await world.run();
    const [detected] = await observer.entries(accountId, 'computeOptimizer');
    expect(detected?.type).toBe('DriftDetected');
    const open = { enrollments: 1, oldestSince: detected?.at };
    expect(await observer.openDrift()).toMatchObject(open);
    const app = await world.app();
    // A person has to restore the role: this reason is announced as well.
    expect(await observer.announced(app)).toEqual({ drift: 1, blocked: 1 });
    await world.stop(app);
    world.clock.advance(12 * HOUR_MS);
    await world.run();
    expect(await observer.openDrift()).toMatchObject(open);
    world.sandbox.changeAccounts({ update: [{ accountId, roleAssumable: true }] });
    world.clock.advance(12 * HOUR_MS);
    await world.run();
    const entries = await observer.entries(accountId, 'computeOptimizer');
    expect(typesOf(entries).filter((type) => type === 'DriftDetected')).toHaveLength(1);
    expect(entries.at(-1)?.type).toBe('DriftResolved');
    const { drifts } = await observer.report();
    expect(drifts).toMatchObject({ detected: 1, resolved: 1 });
    expect(drifts.timeToResolve.maxMs).toBeGreaterThanOrEqual(24 * HOUR_MS);
    await checkWorld(world);
  });
});
