import { describe, expect, it } from 'vitest';
import type { ControlsView } from '../../../../shared/app/guardrails/controls.ts';
import { processMessage } from '../../../../shared/app/reconciler/deliver.ts';
import { ChangeRefused, type Guard } from '../../../../shared/app/reconciler/guard.ts';
import type { Cloud } from '../../../../shared/ports/cloud.ts';
import type { Records } from '../../../../shared/ports/records.ts';
import { DAY, NOW, policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId, keyOf } from '../../../support/workshop.ts';

const bed = reconcilerBed();

describe('the organization-wide call', () => {
  const sweeping = policyOf('computeOptimizer: Active', `${NO_CAPS}\norganization: { organizationEnrollment: auto }`);

  it('is one call, with an intent for every account that it changes, verified by listing', async () => {
    await bed.open({ policy: sweeping, members: 30 });
    const plan = await bed.shop.scan();
    expect(plan.orgWide.computeOptimizer?.used).toBe(true);
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual(['UpdateEnrollmentStatus 30']);
    for (const { id } of bed.shop.members) {
      expect(await bed.shop.types(id)).toEqual([
        'DriftDetected',
        'RemediationStarted',
        'RemediationSucceeded',
        'DriftResolved',
      ]);
    }
    expect((await bed.shop.chain(accountId(0))).find(({ type }) => type === 'RemediationStarted')?.detail?.scope).toBe(
      'organization',
    );
  });

  it('that fails gives way to single accounts', async () => {
    await bed.open({ policy: sweeping, members: 12 });
    await bed.shop.scan();
    let first = true;
    bed.trouble = ({ operation }) => {
      if (operation !== 'UpdateEnrollmentStatus' || !first) return null;
      first = false;
      return { before: cloudError('Denied', 'AccessDenied') };
    };
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.changes).toHaveLength(13);
    for (const { id } of bed.shop.members) expect(await bed.shop.condition(id)).toMatchObject({ verdict: 'Compliant' });
  });

  it('is not made while another worker holds a claim on an account that it would change', async () => {
    await bed.open({ policy: sweeping, members: 12 });
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const [work, other] = [await bed.shop.process(), await bed.shop.process()];
    const never = new Promise<never>(() => undefined);
    const cloud: Cloud = {
      ...bed.shop.cloud,
      prepareChange: async () => () => never,
    };
    let checks = 0;
    const guard: Guard = Object.create(work.guard, {
      check: {
        value: async (...args: Parameters<Guard['check']>) => {
          checks += 1;
          if (checks === 1) {
            // Between the survey and the claims.
            const slow = processMessage({ ...other, deps: { ...other.deps, cloud } }, keyOf(bed.shop, run, 3));
            slow.catch(() => undefined);
            while ((await bed.shop.condition(accountId(3))).claim === null) await bed.shop.clock.advance(0);
          }
          return work.guard.check(...args);
        },
      },
    });
    await bed.shop.workOff({ ...work, guard });
    expect(bed.changes().filter((call) => call !== 'UpdateEnrollmentStatus 1')).toEqual([]);
    const others = bed.shop.members.filter(({ id }) => id !== accountId(3));
    for (const { id } of others) expect(await bed.shop.condition(id)).toMatchObject({ verdict: 'Compliant' });
    expect((await bed.shop.condition(accountId(3))).claim).not.toBeNull();
  });

  it('whose process died before it gives way to single accounts, so that each intent gets its own outcome', async () => {
    await bed.open({ policy: sweeping, members: 12 });
    await bed.shop.scan();
    const never = new Promise<never>(() => undefined);
    const dying = await bed.shop.process({ cloud: { ...bed.shop.cloud, prepareChange: async () => () => never } });
    const [message] = await bed.shop.messages();
    if (message === undefined) expect.fail('the scan enqueued nothing');
    processMessage(dying, message).catch(() => undefined);
    for (const { id } of bed.shop.members)
      while ((await bed.shop.condition(id)).claim === null) await bed.shop.clock.advance(0);
    await bed.shop.clock.advance(bed.shop.settings.claimMs + 1);
    const work = await bed.shop.process();
    const { followUps } = await bed.shop.handle(work, message);
    await bed.shop.store.queue.send(followUps);
    await bed.shop.workOff(work);
    expect(bed.changes()).toEqual(Array(12).fill('UpdateEnrollmentStatus 1'));
    for (const { id } of bed.shop.members)
      expect(await bed.shop.types(id)).toEqual([
        'DriftDetected',
        'RemediationStarted',
        'RemediationFailed',
        'RemediationStarted',
        'RemediationSucceeded',
        'DriftResolved',
      ]);
  });

  it('does not record what its survey found for an account that another worker has changed since', async () => {
    await bed.open({ policy: sweeping, members: 12 });
    const run = bed.shop.run();
    await bed.shop.scan(run);
    const [work, other] = [await bed.shop.process(), await bed.shop.process()];
    const dying: Cloud = {
      ...bed.shop.cloud,
      prepareChange: () => Promise.reject(new Error('the process was killed')),
    };
    let isDisabled = false;
    const controls: ControlsView = Object.create(work.controls, {
      recent: { value: () => work.controls.recent() },
      last: { get: () => work.controls.last },
      now: {
        // After the survey that verifies the call, somebody disables an account, and another worker records that.
        value: async () => {
          if (bed.shop.cloud.changes.length > 0 && !isDisabled) {
            isDisabled = true;
            await bed.shop.clock.advance(1_000);
            bed.shop.cloud.set(accountId(3), { computeOptimizer: { status: 'Inactive' } });
            const killed = processMessage({ ...other, deps: { ...other.deps, cloud: dying } }, keyOf(bed.shop, run, 3));
            await expect(killed).rejects.toThrow('the process was killed');
          }
          return work.controls.now();
        },
      },
    });
    await bed.shop.workOff({ ...work, controls });
    expect(bed.changes()).toEqual(['UpdateEnrollmentStatus 12', 'UpdateEnrollmentStatus 1']);
    expect((await bed.shop.types(accountId(3))).slice(3)).toEqual([
      'VerdictChanged',
      'RemediationStarted',
      'RemediationSucceeded',
      'DriftResolved',
    ]);
  });

  it('of one account does not end before the record of its refusal is stored', async () => {
    await bed.open({ policy: sweeping, members: 1 });
    expect((await bed.shop.scan()).orgWide.computeOptimizer?.used).toBe(true);
    const records: Records = Object.create(bed.shop.store.records, {
      advance: { value: () => Promise.reject(new Error('the disk is full')) },
    });
    const work = await bed.shop.process({ records });
    const refusing: Guard = Object.create(work.guard, {
      check: { value: () => Promise.reject(new ChangeRefused('guardrail', 'the run was stopped')) },
    });
    const [message] = await bed.shop.messages();
    if (message === undefined) expect.fail('the scan enqueued nothing');
    expect(message.kind).toBe('organization');
    await expect(bed.shop.handle({ ...work, guard: refusing }, message)).rejects.toThrow('the disk is full');
    expect(await bed.shop.types(accountId(0))).toEqual(['DriftDetected', 'RemediationBlocked']);
  });

  it('is replaced by calls for single accounts if its conditions no longer hold', async () => {
    await bed.open({ policy: sweeping, members: 12 });
    await bed.shop.scan();
    bed.shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Pending', lastUpdated: NOW - 2 * DAY } });
    await bed.shop.clock.advance(1_000);
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.changes.map(({ accountIds }) => accountIds[0])).toEqual(
      bed.shop.members.slice(1).map(({ id }) => id),
    );
  });
});
