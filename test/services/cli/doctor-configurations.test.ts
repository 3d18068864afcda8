import { describe, expect, test } from 'vitest';
import type { CheckId } from '../../../shared/app/doctor/check-ids.ts';
import { doctorShape } from './shapes.ts';
import { ENROLL, EVERYTHING_ON, json, place, rollcall, world } from './support.ts';

async function doctor(cwd: string, env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const { checks } = doctorShape.parse(json(await rollcall(['doctor', '--json', ...args], { cwd, env })));
  return { of: (id: CheckId) => checks.find(({ check }) => check === id) ?? expect.fail(`no check ${id}`) };
}

describe('doctor finds', () => {
  test('organization enrollment configurations, and which of them contradict the policy', async () => {
    const { env, running } = await world({ configurationDelayMs: 0 });
    const { sandbox, info } = running;
    const configuration = (target: Readonly<Record<string, string>>, organizationRuleMode: string) => {
      const input = { target, organizationRuleMode };
      const operation = 'PutOrganizationEnrollmentConfiguration';
      const call = { service: 'aco-automation', operation, input, callerAccountId: info.managementAccountId } as const;
      expect(sandbox.handle({ ...call, requestId: JSON.stringify(target) })).toMatchObject({ kind: 'ok' });
    };
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    expect((await doctor(cwd, env)).of('organizationConfigurations')).toMatchObject({
      status: 'pass',
      message: 'none is stored',
    });
    const unit = sandbox.organizationalUnits().find(({ name }) => name === 'Workloads')?.id ?? '';
    configuration({ organizationalUnitId: unit }, 'NoneAllowed');
    const before = (await doctor(cwd, env)).of('organizationConfigurations');
    expect(before).toMatchObject({ status: 'pass' });
    expect(before.message).toContain(`1 stored: NoneAllowed on OU ${unit}; not compared with the policy`);
    expect((await rollcall(['apply', '--yes'], { cwd, env })).code).not.toBe(1);
    const member = sandbox
      .accounts()
      .find(({ ou, state, management }) => ou.startsWith('/Workloads') && state === 'ACTIVE' && !management);
    configuration({ accountId: member?.accountId ?? '' }, 'AnyAllowed');
    const { status, reason, message } = (await doctor(cwd, env)).of('organizationConfigurations');
    expect({ status, reason }).toEqual({ status: 'warn', reason: 'wrong' });
    expect(message).toContain(`AnyAllowed on account ${member?.accountId}`);
    expect(message).toContain(
      `. Against the policy: NoneAllowed on OU /Workloads (${unit}), but the policy wants AnyAllowed in `,
    );
    expect(message).not.toContain(`in ${member?.accountId}`);
    const inactive = place({
      'rollcall.yaml': EVERYTHING_ON.replace(
        'automation: Active, organizationRules: AnyAllowed',
        'automation: Inactive',
      ),
    });
    const other = await doctor(inactive, env, '--data-dir', `${cwd}/.rollcall`);
    expect(other.of('organizationConfigurations').message).toContain('but the policy wants Automation Inactive in ');
    const unmanaged = await doctor(place({ 'rollcall.yaml': ENROLL }), env);
    expect(unmanaged.of('organizationConfigurations')).toMatchObject({ status: 'skipped', reason: 'notUsed' });
  });

  test('that the configurations may not be listed, with the permission', async () => {
    const { env, running } = await world();
    running.sandbox.setFaults([{ operation: 'ListOrganizationEnrollmentConfigurations', kind: 'denied' }]);
    const observing = (await doctor(place({ 'rollcall.yaml': EVERYTHING_ON }), env)).of('organizationConfigurations');
    expect(observing).toMatchObject({ status: 'warn', reason: 'denied' });
    expect(observing.mend).toEqual([
      expect.stringContaining('"Action":["aco-automation:ListOrganizationEnrollmentConfigurations"]'),
    ]);
    const manage = `${EVERYTHING_ON}organization: { automationConfigurations: manage }\n`;
    const managing = (await doctor(place({ 'rollcall.yaml': manage }), env)).of('organizationConfigurations');
    expect(managing).toMatchObject({ status: 'fail', reason: 'denied', mend: observing.mend });
  });
});
