import { describe, expect, it } from 'vitest';
import { deliver } from '../../../../shared/app/reconciler/deliver.ts';
import { scan } from '../../../../shared/app/scan/scan.ts';
import type { ChangeRequest } from '../../../../shared/ports/cloud.ts';
import { DAY, MANAGEMENT_ID, policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId, keyOf } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const A = accountId(0);

describe('a process that dies', () => {
  /** Runs a process that dies during its call, before or after the request takes effect. */
  async function crash(when: 'before' | 'after'): Promise<void> {
    await bed.shop.scan();
    const work = await bed.shop.process();
    const never = new Promise<never>(() => undefined);
    const cloud = {
      ...bed.shop.cloud,
      prepareChange: async (request: ChangeRequest) => {
        const send = await bed.shop.cloud.prepareChange(request);
        return async () => {
          if (when === 'after') await send();
          return never;
        };
      },
    };
    const [delivery] = await bed.shop.store.queue.receive(1, bed.shop.settings.visibilityMs);
    if (delivery === undefined) expect.fail('a message');
    deliver({ ...work, deps: { ...work.deps, cloud } }, delivery, 0).catch(() => undefined);
    while ((await bed.shop.condition(A)).claim === null) await bed.shop.clock.advance(0);
    await bed.shop.clock.advance(0);
  }

  it('after the intent and before the call: no call while the claim lasts, then a retry', async () => {
    await bed.open();
    await crash('before');
    const work = await bed.shop.process();
    await bed.shop.later(work, bed.shop.settings.claimMs - 1);
    expect(bed.shop.cloud.changes).toEqual([]);
    await bed.shop.later(work, 2);
    expect(await bed.shop.types(A)).toEqual([
      'DriftDetected',
      'RemediationStarted',
      'RemediationFailed',
      'RemediationStarted',
      'RemediationSucceeded',
      'DriftResolved',
    ]);
    expect(bed.shop.cloud.changes).toHaveLength(1);
  });

  it('after the call and before its outcome: the live state decides, without a second call', async () => {
    await bed.open();
    await crash('after');
    const work = await bed.shop.process();
    await bed.shop.later(work, bed.shop.settings.claimMs + 1);
    expect(await bed.shop.types(A)).toEqual([
      'DriftDetected',
      'RemediationStarted',
      'RemediationSucceeded',
      'DriftResolved',
    ]);
    expect(bed.shop.cloud.changes).toHaveLength(1);
    const [, started, succeeded] = (await bed.shop.chain(A)).filter(
      ({ enrollment }) => enrollment === 'computeOptimizer',
    );
    expect(succeeded?.detail).toMatchObject({ intentId: started?.id, message: expect.stringContaining('recovered') });
  });

  it('after a call that leads to Pending: Converging, and Compliant in the end', async () => {
    await bed.open({ cloud: { pendingMs: 5 * 60_000 } });
    await crash('after');
    const work = await bed.shop.process();
    for (let minute = 0; minute < 12; minute += 1) await bed.shop.later(work, 60_000);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', claim: null });
    expect(bed.shop.cloud.changes).toHaveLength(1);
  });

  it('and then access to the account is denied: the claim is closed with an unknown result', async () => {
    await bed.open();
    await crash('before');
    bed.trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Denied', 'AccessDenied') } : null;
    const work = await bed.shop.process();
    await bed.shop.later(work, bed.shop.settings.claimMs + 1);
    expect((await bed.shop.condition(A)).claim).toBeNull();
    const said = (await bed.shop.chain(A)).map(({ detail }) => detail?.message ?? '');
    expect(said.some((message) => message.includes('it is not known whether it was changed'))).toBe(true);
    expect(bed.shop.cloud.changes).toHaveLength(0);
  });

  it('and then AWS does not answer for a while: the account is polled more and more rarely, also when the other enrollment is reconciled', async () => {
    await bed.open({ policy: policyOf('computeOptimizer: Active, automation: Inactive', NO_CAPS) });
    bed.shop.cloud.set(MANAGEMENT_ID, { automation: { status: 'Inactive' } });
    await crash('before');
    bed.trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Transient', 'ServiceUnavailable') } : null;
    const work = await bed.shop.process();
    const run = bed.shop.run();
    await bed.shop.clock.advance(bed.shop.settings.claimMs + 1);
    for (const minutes of [2, 4, 8]) {
      await bed.shop.later(work, minutes * 60_000);
      await bed.shop.handle(work, keyOf(bed.shop, run, 0, 'automation'));
      // A tick finds nothing to do now.
      expect(await bed.shop.store.records.due(bed.shop.clock.now(), 10), `after ${minutes} more minutes`).toEqual([]);
      expect((await bed.shop.condition(A)).claim).not.toBeNull();
    }
    bed.trouble = () => null;
    await bed.shop.later(work, 15 * 60_000);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', claim: null });
    expect(bed.shop.cloud.changes).toHaveLength(1);
  });

  it('and then the recovering process ends too: no outcome is recorded, and the next process recovers the claim', async () => {
    await bed.open();
    await crash('after');
    bed.trouble = ({ operation }) =>
      operation === 'GetEnrollmentStatus' ? { before: cloudError('Transient', 'Closed') } : null;
    const work = await bed.shop.process();
    await bed.shop.later(work, bed.shop.settings.claimMs + 1);
    expect((await bed.shop.condition(A)).claim).not.toBeNull();
    bed.trouble = () => null;
    await bed.shop.later(work, 15 * 60_000);
    expect(await bed.shop.types(A)).toEqual([
      'DriftDetected',
      'RemediationStarted',
      'RemediationSucceeded',
      'DriftResolved',
    ]);
  });

  it('and then the account leaves the organization: the claim is still closed', async () => {
    await bed.open({ members: 2 });
    await crash('before');
    const accounts = [...bed.shop.members.slice(1)];
    const cloud = {
      ...bed.shop.cloud,
      readOrganization: async (...args: Parameters<typeof bed.shop.cloud.readOrganization>) => {
        const snapshot = await bed.shop.cloud.readOrganization(...args);
        return {
          ...snapshot,
          accounts: snapshot.accounts.filter(({ id }) => id !== A || accounts.some((a) => a.id === A)),
        };
      },
      // The enrollment listing still names it, but a read by id says that it is gone.
      readAccount: async (...[id, options]: Parameters<typeof bed.shop.cloud.readAccount>) =>
        id === A ? null : bed.shop.cloud.readAccount(id, options),
    };
    await bed.shop.clock.advance(10 * 60_000);
    const deps = bed.shop.deps({ cloud });
    await bed.shop.settle(
      scan(deps, bed.shop.settings, bed.shop.retrying(), bed.shop.run(), () => undefined, new AbortController().signal),
    );
    const work = await bed.shop.process({ cloud });
    await bed.shop.later(work, 2 * 60_000);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'NotApplicable', claim: null });
    expect((await bed.shop.types(A)).at(-1)).toBe('RemediationFailed');
    // It is not enqueued again every minute.
    expect(await bed.shop.store.records.due(bed.shop.clock.now() + DAY, 10)).toEqual([]);
    expect(bed.shop.cloud.changes.filter(({ accountIds }) => accountIds.includes(A))).toEqual([]);
  });
});
