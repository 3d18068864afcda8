import { describe, expect, it } from 'vitest';
import { accountReader } from '../../shared/app/events/account-reader.ts';
import { type Reaction, react } from '../../shared/app/events/event-handler.ts';
import { scanPart } from '../../shared/app/scan/resumable-scan.ts';
import { requestScan } from '../../shared/app/schedule/scan-schedule.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { put, unit } from '../services/sandbox/configuration-calls.ts';
import { control } from '../services/sandbox/support.ts';
import { startWorld, type World } from '../support/world.ts';
import { beat, HOUR, MINUTE } from './operator-steps.ts';

const POLICY = { automation: 'Active', organizationRules: 'AnyAllowed', more: 'schedule: 12h' } as const;

/** Runs a scan if one is due, like the daemon. @returns whether one was due */
async function scanIfDue(world: World, app: Runtime): Promise<boolean> {
  const { policy } = world.context(app);
  const request = await requestScan(app.deps, policy);
  if (request === null) return false;
  const requests = { send: async () => undefined };
  const deadline = { remainingMs: () => HOUR, reserveMs: 0, stop: new AbortController().signal };
  const end = await scanPart({ ...app, policy, requests, deadline, onProgress: () => undefined }, request.runId);
  expect(end.kind).toBe('done');
  return true;
}

/** Delivers the trail's newest event, as a forwarder does through `POST /api/events`. */
async function deliver(world: World, app: Runtime): Promise<Reaction> {
  const { body } = await control(world.running, 'trail');
  const event: unknown = Array.isArray(body['events']) ? body['events'].at(-1) : undefined;
  const { policy } = world.context(app);
  const readAccount = accountReader(app.deps, policy, world.clock.now() + MINUTE);
  return react({ ...app.deps, readAccount }, async () => policy.hash, event);
}

const driftOf = (world: World, accountId: string) =>
  world.look(async ({ ledger }) => {
    const { entries } = await ledger.query({ accountId, type: 'DriftDetected' }, { limit: 1 });
    return entries[0];
  });

describe('a configuration that somebody else stores', () => {
  const started = async (configurationDelayMs: number) => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0, configurationDelayMs }, policy: POLICY });
    const app = await world.app();
    await scanIfDue(world, app);
    await beat(world, app);
    world.clock.advance(10 * MINUTE);
    expect(await scanIfDue(world, app)).toBe(false);
    const by = world.running.info.delegatedAdministratorId;
    return { world, app, by, actor: `arn:aws:iam::${by}:user/sandbox` };
  };

  it('on an account: the account is read within seconds, and its entry names the caller', async () => {
    const { world, app, by, actor } = await started(0);
    const { accountId } = world.member(({ ou }) => ou.startsWith('/Workloads'));
    expect(await put(world.running, accountId, 'NoneAllowed', by)).toMatchObject({ status: 200 });
    expect(await deliver(world, app)).toMatchObject({ queued: [accountId], scan: false });
    await world.work(app);
    const operation = 'PutOrganizationEnrollmentConfiguration';
    expect((await driftOf(world, accountId))?.detail?.changedBy).toMatchObject({ actor, operation });
    const condition = (await world.records()).get(accountId)?.conditions.automation;
    expect(condition).toMatchObject({ verdict: 'Blocked', reason: 'organizationConfiguration' });
  });

  it('on an OU: scans follow immediately and once AWS has applied it, and every entry names the caller', async () => {
    const { world, app, by, actor } = await started(4 * MINUTE);
    await put(world.running, unit(world.running, 'Workloads'), 'NoneAllowed', by);
    const at = world.clock.now();
    expect(await deliver(world, app)).toMatchObject({ queued: [], scan: true });
    world.clock.advance(20_000);
    expect(await scanIfDue(world, app)).toBe(true);
    const governed = world.members(({ ou }) => ou.startsWith('/Workloads'));
    expect(governed.length).toBeGreaterThan(5);
    world.clock.advanceTo(at + 6 * MINUTE);
    expect(await scanIfDue(world, app)).toBe(true);
    const drifts = await Promise.all(governed.map(({ accountId }) => driftOf(world, accountId)));
    expect(drifts.map((entry) => entry?.detail?.changedBy?.actor)).toEqual(governed.map(() => actor));
    world.clock.advance(HOUR);
    expect(await scanIfDue(world, app)).toBe(false);
  });
});
