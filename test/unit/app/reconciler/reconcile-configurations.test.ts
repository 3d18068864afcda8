import { describe, expect, it } from 'vitest';
import { halt, suspend } from '../../../../shared/app/guardrails/controls.ts';
import { ownConfigurations } from '../../../../shared/app/guardrails/own-configurations.ts';
import { writeEntries } from '../../../../shared/app/ledger/write-entries.ts';
import type { Guard } from '../../../../shared/app/reconciler/guard.ts';
import type { WorkContext } from '../../../../shared/app/reconciler/worker-context.ts';
import { emptyRecord } from '../../../../shared/domain/account/record.ts';
import { accountEntry, facetOfCondition } from '../../../../shared/domain/account/transition.ts';
import { parseOperatorSelector } from '../../../../shared/domain/policy/rules/operator-selector.ts';
import { CloudError } from '../../../../shared/ports/cloud.ts';
import { MANAGEMENT, MEMBER, policyOf } from '../../../support/domain-kit.ts';
import { cloudError, type Trouble } from '../../../support/memory-cloud.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const MANAGED = policyOf(
  'computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed',
  `${NO_CAPS}\norganization: { automationConfigurations: manage }`,
);
const PUT = 'PutOrganizationEnrollmentConfiguration';

/** Six members in /Sandbox, six in /Workloads/Prod, all without Automation. */
async function scanned(): Promise<void> {
  const members = Array.from({ length: 12 }, (_, n) => {
    return { ...MEMBER, id: accountId(n), ou: n < 6 ? '/Sandbox' : '/Workloads/Prod' };
  });
  await bed.enrolled({ policy: MANAGED, members: 12, cloud: { accounts: [MANAGEMENT, ...members] } });
  await bed.shop.scan();
}

/** A worker with an action between the guard's check at this stage and what follows it, the first `times` times. */
async function workerWith(stage: 'claim' | 'call', times: number, act: () => Promise<void>): Promise<WorkContext> {
  const work = await bed.shop.process();
  let left = times;
  const check: Guard['check'] = async (key, change) => {
    const acts = change.stage === stage && left-- > 0;
    // Before the call, so that the last check shows it; otherwise after the check, before the claims.
    if (acts && stage === 'call') await act();
    const urgent = await work.guard.check(key, change);
    if (acts && stage === 'claim') await act();
    return urgent;
  };
  return { ...work, guard: Object.create(work.guard, { check: { value: check } }) };
}

/** Another worker writes about the account, without changing it. */
async function anotherEntryAbout(id: string): Promise<void> {
  const deps = bed.shop.deps();
  const record = (await deps.records.get(id)) ?? emptyRecord(id);
  const after = { ...facetOfCondition(await bed.shop.condition(id, 'automation')), reason: 'retrying' } as const;
  const context = { now: deps.clock.now(), newId: deps.newId, runId: 'other', actor: 'other', policyHash: null };
  const decide = () => [accountEntry(context, 'VerdictChanged', id, 'automation', { after })];
  await writeEntries(deps, [{ record, decide }]);
}

async function verdicts(): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { id } of bed.shop.members) {
    const { verdict } = await bed.shop.condition(id, 'automation');
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  return counts;
}

describe('a call for a configuration whose accounts have changed before it is sent', () => {
  it('is planned again if another worker has written about one of them', async () => {
    await scanned();
    await bed.shop.workOff(await workerWith('claim', 1, () => anotherEntryAbout(accountId(3))));
    expect(bed.shop.cloud.changes.map(({ operation }) => operation)).toEqual([PUT]);
  });

  it('is planned again without the part that an operator has suspended', async () => {
    await scanned();
    const parsed = parseOperatorSelector(accountId(3));
    if (!parsed.ok) throw new Error(parsed.message);
    const what = { selector: parsed.selector, until: null, reason: null };
    await bed.shop.workOff(await workerWith('call', 1, async () => void (await suspend(bed.shop.deps(), what))));
    expect(bed.shop.cloud.changes.map(({ operation }) => operation)).toEqual([PUT, 'AssociateAccounts']);
    expect(bed.shop.cloud.changes[1]?.accountIds).toEqual([0, 1, 2, 4, 5].map(accountId));
  });

  it('is replaced by other calls if its accounts keep changing', async () => {
    await scanned();
    await bed.shop.workOff(await workerWith('claim', 3, () => anotherEntryAbout(accountId(3))));
    // The other worker has a key for the account that it writes about.
    expect(bed.changes()).toEqual(['AssociateAccounts 11']);
    expect(await verdicts()).toEqual({ Compliant: 11, Drifted: 1 });
  });
});

describe('calls for configurations while AWS is busy', () => {
  it('are repeated for an hour after their run began; then the next scan plans them again', async () => {
    await scanned();
    const facts = { service: 'test', operation: PUT, accountId: null, requestId: 'request-1', ambiguous: false };
    const busy = { ...facts, kind: 'Conflict', code: 'ConflictException', concurrent: true } as const;
    bed.trouble = ({ operation }) => (operation === PUT ? { before: new CloudError('busy', busy) } : null);
    const work = await bed.shop.process();
    const start = bed.shop.clock.now();
    let [message] = await bed.shop.messages();
    for (let deliveries = 0; message !== undefined && deliveries < 20; deliveries += 1) {
      await bed.shop.handle(work, message);
      await bed.shop.clock.advance(60_000);
      [message] = await bed.shop.messages();
    }
    expect(message).toBeUndefined();
    expect(bed.shop.clock.now() - start).toBeGreaterThan(3_600_000);
    expect(bed.shop.clock.now() - start).toBeLessThan(2 * 3_600_000);
    bed.trouble = () => null;
    await bed.shop.scan();
    await bed.shop.workOff(work);
    // The cloud of this test stores a configuration of an OU, but does not apply it.
    expect(await verdicts()).toEqual({ Converging: 12 });
  });
});

describe('a call for a configuration', () => {
  const LIST = 'ListOrganizationEnrollmentConfigurations';

  it('is planned again if it cannot leave within a minute after the configurations were read', async () => {
    await scanned();
    const operations = (): string[] => bed.shop.cloud.calls.map(({ operation }) => operation);
    let before = 0;
    const late = (): Promise<void> => {
      before = operations().length;
      return bed.shop.clock.advance(61_000);
    };
    await bed.shop.workOff(await workerWith('claim', 1, late));
    const after = operations().slice(before);
    expect(after.slice(0, after.indexOf(PUT))).toContain(LIST);
  });

  it('is planned again if an account that it only reaches was changed since it was assessed', async () => {
    await scanned();
    const id = accountId(3);
    bed.shop.cloud.set(id, { automation: { status: 'Active', ruleMode: 'AnyAllowed' } });
    let lists = 0;
    bed.trouble = ({ operation }) => {
      if (operation !== LIST || ++lists !== 2) return null;
      bed.shop.cloud.set(id, { automation: { status: 'Active', ruleMode: 'NoneAllowed' } });
      return { wait: anotherEntryAbout(id) };
    };
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual([`${PUT} 0`]);
    expect(await bed.shop.types(id, 'automation')).toContain('RemediationStarted');
  });
});

describe('the entries about a call for a configuration', () => {
  it('end with its result even if AWS rejects the credentials', async () => {
    await scanned();
    bed.trouble = ({ operation }) =>
      operation === PUT ? { before: cloudError('Unauthenticated', 'ExpiredToken') } : null;
    await expect(bed.shop.workOff(await bed.shop.process())).rejects.toThrow('ExpiredToken');
    const types = (await bed.shop.chain('organization')).map(({ type }) => type);
    expect(types.filter((type) => type.startsWith('Configuration'))).toEqual([
      'ConfigurationStarted',
      'ConfigurationEnded',
    ]);
  });
});

describe('a configuration that Rollcall noted before its call', () => {
  const answered = async (...troubles: readonly Trouble[]): Promise<boolean> => {
    await scanned();
    const left = [...troubles];
    bed.trouble = ({ operation }) => (operation === PUT ? left.shift() : null);
    await bed.shop.workOff(await bed.shop.process());
    const own = await ownConfigurations(bed.shop.store.registers, bed.shop.clock.now());
    return own.isOurs('r-root', 'AnyAllowed');
  };
  const lost = cloudError('Transient', 'InternalServerException');

  it.each([
    ['Invalid', 'InvalidParameterValueException'],
    ['Denied', 'AccessDeniedException'],
    ['Conflict', 'ConflictException'],
  ] as const)('is not ours if AWS has refused the call: %s', async (kind, code) => {
    expect(await answered({ before: cloudError(kind, code) })).toBe(false);
  });

  it('is ours if AWS has accepted the call', async () => {
    expect(await answered()).toBe(true);
  });

  it('may be ours if an answer was lost, even if a repetition was refused', async () => {
    expect(await answered({ after: lost }, { before: cloudError('Invalid', 'InvalidParameterValueException') })).toBe(
      true,
    );
  });

  it('is not ours if the guard has refused the call', async () => {
    await scanned();
    const deps = bed.shop.deps();
    await bed.shop.workOff(await workerWith('call', 1, async () => void (await halt(deps, null))));
    expect(bed.changes()).toEqual([]);
    const own = await ownConfigurations(deps.registers, bed.shop.clock.now());
    expect(own.isOurs('r-root', 'AnyAllowed')).toBe(false);
  });
});

describe('a call for a configuration that changes only accounts that join later', () => {
  const compliant = { status: 'Active', ruleMode: 'AnyAllowed' } as const;

  it('is not made if enforcement is halted while the checks before it take long', async () => {
    await bed.enrolled({ policy: MANAGED, members: 2 });
    for (const { id } of bed.shop.members) bed.shop.cloud.set(id, { automation: compliant });
    await bed.shop.scan();
    const work = await bed.shop.process();
    const check: Guard['check'] = async (key, change) => {
      const urgent = await work.guard.check(key, change);
      if (change.stage === 'claim') return urgent;
      await halt(bed.shop.deps(), null);
      await bed.shop.clock.advance(2_000);
      return urgent;
    };
    await bed.shop.workOff({ ...work, guard: Object.create(work.guard, { check: { value: check } }) });
    expect(bed.changes()).toEqual([]);
  });

  it('is made without a claim', async () => {
    await bed.enrolled({ policy: MANAGED, members: 2 });
    for (const { id } of bed.shop.members) bed.shop.cloud.set(id, { automation: compliant });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual([`${PUT} 0`]);
    expect(await bed.shop.types(accountId(0), 'automation')).not.toContain('RemediationStarted');
  });
});

describe('calls for configurations while the listing of an independent kind is denied', () => {
  const scannedWith = async (rules: string): Promise<void> => {
    const policy = policyOf(
      `computeOptimizer: Active, automation: Active, organizationRules: ${rules}, costOptimizationHub: Active`,
      `${NO_CAPS}\norganization: { automationConfigurations: manage }`,
    );
    await bed.enrolled({ policy, members: 12 });
    const denied = cloudError('Denied', 'AccessDeniedException');
    bed.trouble = ({ operation }) => (operation === 'list costOptimizationHub' ? { before: denied } : null);
    for (const { id } of bed.shop.members) bed.shop.cloud.set(id, { automation: { ruleMode: 'AnyAllowed' } });
  };

  it('are made', async () => {
    await scannedWith('AnyAllowed');
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.changes.map(({ operation }) => operation)).toContain(PUT);
  });

  it('are not made if they would opt out accounts', async () => {
    await scannedWith('NoneAllowed');
    const plan = await bed.shop.scan();
    expect(plan.configurations?.notCovered).toEqual([
      { ou: '/', why: expect.stringMatching(/^a listing is incomplete/) },
    ]);
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.changes.map(({ operation }) => operation)).not.toContain(PUT);
  });
});

describe('an account that a call for a configuration changes', () => {
  const started = async (n: number) =>
    (await bed.shop.chain(accountId(n)))
      .filter(({ type }) => type === 'RemediationStarted')
      .map(({ detail }) => detail);
  const puts = () => bed.shop.cloud.changes.filter(({ operation }) => operation === PUT).length;

  it('waits with the call after AWS has refused it for a missing prerequisite, instead of being changed without an intent', async () => {
    await scanned();
    bed.trouble = ({ operation }) =>
      operation === PUT && puts() === 1 ? { before: cloudError('Prerequisite', 'OptInRequiredException') } : null;
    await bed.shop.workOff(await bed.shop.process());
    expect(await bed.shop.condition(accountId(0), 'automation')).toMatchObject({ reason: 'prerequisite' });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(puts()).toBe(1);
    await bed.shop.clock.advance(3_600_000);
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(puts()).toBe(2);
    expect(await started(0)).toHaveLength(2);
  });

  it('has an intent and counts as an opt-out although its enrollment is Pending', async () => {
    const policy = policyOf(
      'computeOptimizer: Active, automation: Active, organizationRules: NoneAllowed',
      `${NO_CAPS}\norganization: { automationConfigurations: manage }`,
    );
    await bed.enrolled({ policy, members: 3 });
    bed.shop.cloud.set(accountId(0), { automation: { status: 'Pending', ruleMode: 'AnyAllowed' } });
    // AWS is enabling this one already, with the same rule mode.
    bed.shop.cloud.set(accountId(1), { automation: { status: 'Pending', ruleMode: 'NoneAllowed' } });
    const plan = await bed.shop.scan();
    expect(plan.totals).toMatchObject({ optOuts: 1 });
    await bed.shop.workOff(await bed.shop.process());
    expect(puts()).toBe(1);
    expect(await started(0)).toEqual([expect.objectContaining({ optOut: true, scope: 'configuration' })]);
    expect(await started(1)).toEqual([]);
  });
});
