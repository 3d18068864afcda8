import { describe, expect, test } from 'vitest';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import { doctorShape } from './shapes.ts';
import { json, place, rollcall, world } from './support.ts';

const POLICY = `version: 1
defaults: { computeOptimizer: Active, automation: Active, costOptimizationHub: Active }
`;

async function doctor(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const ended = await rollcall(['doctor', '--json', ...args], { cwd: place({ 'rollcall.yaml': POLICY }), env });
  const { checks } = doctorShape.parse(json(ended));
  const of = (id: string) => checks.find(({ check }) => check === id) ?? expect.fail(`no check ${id}`);
  return { ended, of, failed: checks.filter(({ status }) => status === 'fail').map(({ check }) => check) };
}

/** Records the Regions for which calls to Cost Optimization Hub are signed. */
function hubRegions({ sandbox }: RunningSandbox): readonly (string | undefined)[] {
  const regions: (string | undefined)[] = [];
  const handle = sandbox.handle.bind(sandbox);
  sandbox.handle = (request) => {
    if (request.service === 'cost-optimization-hub') regions.push(request.region);
    return handle(request);
  };
  return regions;
}

describe('doctor with Cost Optimization Hub in the policy', () => {
  test.each(['eu-central-1', 'us-east-1'])('in %s, checks the listing and the members in us-east-1', async (Region) => {
    const { env, running } = await world({ accounts: 12 });
    const regions = hubRegions(running);
    const { of, failed } = await doctor({ ...env, AWS_REGION: Region }, '--sample', '3');
    expect(failed).toEqual([]);
    expect(of('costOptimizationHub')).toMatchObject({ status: 'pass' });
    expect(of('memberRole')).toMatchObject({ status: 'pass' });
    // The listing, that of Failed enrollments, and a read in each of three members.
    expect(regions).toEqual(['us-east-1', 'us-east-1', 'us-east-1', 'us-east-1', 'us-east-1']);
  });

  test.each([
    ['aws-cn', 'cn-north-1'],
    ['aws-us-gov', 'us-gov-west-1'],
  ] as const)('in %s, where it does not exist, does not call it and passes', async (partition, Region) => {
    const { env, running } = await world({ accounts: 12, partition });
    const regions = hubRegions(running);
    const { of, failed } = await doctor({ ...env, AWS_REGION: Region }, '--sample', '3');
    expect(failed).toEqual([]);
    expect(of('costOptimizationHub')).toMatchObject({ status: 'skipped', reason: 'notUsed' });
    expect(of('costOptimizationHub').message).toBe(
      `Cost Optimization Hub does not exist in the partition ${partition}, so its enrollments are Not applicable there`,
    );
    expect(of('memberRole')).toMatchObject({ status: 'pass' });
    expect(of('serviceLinkedRoles')).toMatchObject({ status: 'pass' });
    expect(regions).toEqual([]);
  });

  test('names the missing permission, and its own trusted access', async () => {
    const { env, running } = await world({ accounts: 12 });
    running.sandbox.setFaults([
      { service: 'cost-optimization-hub', operation: 'ListEnrollmentStatuses', kind: 'denied' },
    ]);
    const { of, ended } = await doctor(env, '--sample', '0');
    expect(ended.code).toBe(1);
    expect(of('costOptimizationHub')).toMatchObject({ status: 'fail', reason: 'denied' });
    expect(JSON.stringify(of('costOptimizationHub'))).toContain('cost-optimization-hub.bcm.amazonaws.com');
    expect(of('computeOptimizer')).toMatchObject({ status: 'pass' });
  });
});
