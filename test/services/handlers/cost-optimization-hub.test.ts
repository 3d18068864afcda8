import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { makeHandler as makeReactor } from '../../../services/reactor/handler.ts';
import { JANE, optedOut } from '../../support/cloud-trail-events.ts';
import { auditShape } from '../cli/audit-shapes.ts';
import { runInProcess } from '../cli/in-process.ts';
import { json, place } from '../cli/support.ts';
import { type Functions, functionsOf } from './functions.ts';
import { type Deployment, deploy, lambdaContext } from './support.ts';

const HOUR_MS = 3_600_000;
const SOURCE = 'cost-optimization-hub.amazonaws.com';
const POLICY = { costOptimizationHub: 'Active' };

const published = z.looseObject({
  accountId: z.string().nullable(),
  enrollment: z.string().nullable(),
  before: z.looseObject({ status: z.string().nullish() }).nullish(),
  api: z.looseObject({ operation: z.string() }).nullish(),
  detail: z.looseObject({ changedBy: z.looseObject({ actor: z.string() }).optional() }).nullish(),
});

/** A scan that is due, the work that it enqueues, and the tick that publishes the entries. @returns the number of messages */
async function scanAndWork({ tick, scan, work }: Functions): Promise<number> {
  expect((await tick()).scanRequested).not.toBeNull();
  expect(await scan()).toMatchObject([{ result: 'done' }]);
  const messages = await workOff({ work });
  await tick();
  return messages;
}

async function workOff({ work }: Pick<Functions, 'work'>): Promise<number> {
  let messages = 0;
  for (let batch = await work(); batch !== null; batch = await work()) {
    expect(batch.failed).toEqual([]);
    messages += batch.event.Records.length;
  }
  return messages;
}

/** A deployment whose organization is enrolled everywhere. */
async function enrolled() {
  const world = await deploy({ sandbox: { accounts: 8, drift: 0 }, policy: POLICY });
  const functions = functionsOf(world);
  expect(await scanAndWork(functions)).toBeGreaterThan(0);
  const { sandbox } = world.sandbox;
  const open = sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
  expect(new Set(open.map(({ costOptimizationHub }) => costOptimizationHub.status))).toEqual(new Set(['Active']));
  const [member = expect.fail('no member')] = open.filter(({ management }) => !management);
  return { world, functions, accountId: member.accountId };
}

function optOut({ sandbox: { sandbox } }: Deployment, accountId: string): void {
  sandbox.drift({ changes: [{ accountId, enrollment: 'costOptimizationHub', status: 'Inactive' }] });
}

const statusOf = ({ sandbox: { sandbox } }: Deployment, accountId: string) =>
  sandbox.accounts(accountId)[0]?.costOptimizationHub.status;

/** Calls of one operation at the hub so far. */
const calls = ({ sandbox: { sandbox } }: Deployment, name: string): number =>
  sandbox
    .calls()
    .filter(({ service, operation }) => service === 'cost-optimization-hub' && operation === name)
    .reduce((sum, { count }) => sum + count, 0);

/** The events on the bus about one account's hub enrollment, in order. */
const eventsAbout = (world: Deployment, accountId: string) =>
  world.events().flatMap((event) => {
    const entry = event.source === 'rollcall' ? published.parse(event.detail) : null;
    return entry?.accountId === accountId && entry.enrollment === 'costOptimizationHub'
      ? [{ ...entry, title: event['detail-type'] }]
      : [];
  });

/** What `audit list` prints about one account's hub enrollment, oldest first. */
async function audited({ env, sandbox }: Deployment, accountId: string) {
  const args = ['audit', 'list', '--enrollment', 'costOptimizationHub', '--account', accountId, '--oldest-first'];
  // The queues' URLs have a name under `localhost`, which does not resolve everywhere.
  const AWS_ENDPOINT_URL_SQS = `http://127.0.0.1:${new URL(env['ROLLCALL_QUEUE_URL'] ?? '').port}`;
  const endpoints = { AWS_ENDPOINT_URL: sandbox.endpoint, AWS_ENDPOINT_URL_SQS };
  const settings = Object.entries({ ...process.env, ...env, ...endpoints });
  const given = Object.fromEntries(settings.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const ended = await runInProcess([...args, '--store', 'aws', '--json'], { cwd: place(), env: given });
  return auditShape.parse(json(ended)).entries;
}

describe('Cost Optimization Hub in the AWS runtime', () => {
  it('a drift is scanned, enqueued, remediated, verified by the next listing, and found with audit', async () => {
    const { world, functions, accountId } = await enrolled();
    const before = eventsAbout(world, accountId).length;
    const [changes, others] = [calls(world, 'UpdateEnrollmentStatus'), world.sandbox.sandbox.accounts()];
    optOut(world, accountId);
    world.clock.advance(HOUR_MS);
    expect(await scanAndWork(functions)).toBe(1);
    expect(statusOf(world, accountId)).toBe('Active');
    expect(calls(world, 'UpdateEnrollmentStatus')).toBe(changes + 1);
    const withoutIt = (all: typeof others) => all.filter((each) => each.accountId !== accountId);
    expect(withoutIt(world.sandbox.sandbox.accounts())).toEqual(withoutIt(others));

    const listings = calls(world, 'ListEnrollmentStatuses');
    world.clock.advance(HOUR_MS);
    expect(await scanAndWork(functions)).toBe(0);
    expect(calls(world, 'ListEnrollmentStatuses')).toBe(listings + 1);
    const happened = eventsAbout(world, accountId).slice(before);
    expect(happened.map(({ title }) => title)).toEqual([
      'Drift Detected',
      'Remediation Started',
      'Remediation Succeeded',
      'Drift Resolved',
    ]);
    expect(happened.map(({ api }) => api?.operation ?? null)).toEqual([
      null,
      'UpdateEnrollmentStatus',
      'UpdateEnrollmentStatus',
      null,
    ]);

    const entries = await audited(world, accountId);
    expect(entries.slice(-4).map(({ type, enrollment }) => [type, enrollment])).toEqual(
      ['DriftDetected', 'RemediationStarted', 'RemediationSucceeded', 'DriftResolved'].map((type) => [
        type,
        'costOptimizationHub',
      ]),
    );
    const { stores } = await world.compose('cli')();
    const record = await stores.records.get(accountId);
    expect(record?.conditions.costOptimizationHub).toMatchObject({
      verdict: 'Compliant',
      status: 'Active',
      claim: null,
    });
  });

  it('an event of us-east-1 leads to the immediate remediation, and the entry names the caller', async () => {
    const { world, functions, accountId } = await enrolled();
    const scans = calls(world, 'ListEnrollmentStatuses');
    world.clock.advance(60_000);
    optOut(world, accountId);
    const reactor = makeReactor(world.compose('reactor'));
    const event = optedOut(accountId, world.clock.now(), { source: SOURCE, region: 'us-east-1' });
    expect(await reactor(event, lambdaContext(world.clock))).toMatchObject({ queued: [accountId], unknown: [] });
    expect(await workOff(functions)).toBeGreaterThan(0);
    expect(statusOf(world, accountId)).toBe('Active');
    await functions.tick();
    const drift = eventsAbout(world, accountId).findLast(({ title }) => title === 'Drift Detected');
    expect(drift?.detail?.changedBy?.actor).toBe(JANE(accountId));
    // The account was read on its own, not listed.
    expect(calls(world, 'ListEnrollmentStatuses') - scans).toBeLessThanOrEqual(3);
  });

  it('the call of the management account for all members, of somebody else, leads to a scan', async () => {
    const { world, functions } = await enrolled();
    const { managementAccountId } = world.sandbox.info;
    world.clock.advance(10 * 60_000);
    const reactor = makeReactor(world.compose('reactor'));
    const requestParameters = { status: 'Inactive', includeMemberAccounts: true };
    const event = optedOut(managementAccountId, world.clock.now(), {
      ...{ source: SOURCE, region: 'us-east-1', detail: { requestParameters } },
    });
    await reactor(event, lambdaContext(world.clock));
    expect((await functions.tick()).scanRequested).not.toBeNull();
  });
});
