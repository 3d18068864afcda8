import { describe, expect, it } from 'vitest';
import { writeEntries } from '../../../../shared/app/ledger/write-entries.ts';
import { emptyRecord } from '../../../../shared/domain/account/record.ts';
import { accountEntry, facetOfCondition } from '../../../../shared/domain/account/transition.ts';
import type { Cloud } from '../../../../shared/ports/cloud.ts';
import { HOUR, policyOf } from '../../../support/domain-kit.ts';
import { cloudError, listing } from '../../../support/memory-cloud.ts';
import { scanWith, useWorkshop } from '../../../support/scan-bed.ts';
import { accountId, type Workshop } from '../../../support/workshop.ts';

const open = useWorkshop();

describe('a scan whose listings contradict each other', () => {
  const ALLOW = 'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 }, minCoverage: 0 }';
  const OPT_OUT = policyOf('computeOptimizer: Inactive', ALLOW);

  async function scanned(policy = OPT_OUT) {
    const workshop = await open({ policy, members: 6 });
    for (const { id } of workshop.members) workshop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    // All accounts are recorded before one is missing.
    await scanWith(workshop, {
      list: listing(workshop.cloud, 'computeOptimizer', async () => ({ items: [], nextToken: null })),
    });
    return workshop;
  }

  const without = (workshop: Workshop, lost: string): Partial<Cloud> => ({
    async readOrganization(options) {
      const whole = await workshop.cloud.readOrganization(options);
      return { ...whole, accounts: whole.accounts.filter(({ id }) => id !== lost) };
    },
  });
  const left = async ({ store }: Workshop) =>
    (await store.ledger.query({ type: 'AccountLeft' }, { limit: 10 })).entries;

  it('records no account as having left, opts no account out, and reports it', async () => {
    const workshop = await scanned();
    // Drains the messages of the first scan.
    expect((await workshop.messages()).length).toBeGreaterThan(0);
    await workshop.clock.advance(2 * HOUR);
    const found = await scanWith(workshop, without(workshop, accountId(2)));
    expect(found.broken).toEqual([expect.stringContaining(`lacks an enrolled account (${accountId(2)})`)]);
    expect(found.due).toEqual([]);
    expect(found.changes.map(({ reason }) => reason)).toContain('guardrail');
    expect(found.coverage.unknown).toBe(1);
    expect(await left(workshop)).toEqual([]);
    // The next complete scan clears it.
    await workshop.clock.advance(2 * HOUR);
    const next = await scanWith(workshop, {});
    expect(next.broken).toEqual([]);
    expect(next.due.length).toBeGreaterThan(0);
  });

  it('does not make the organization-wide call', async () => {
    const workshop = await scanned(
      policyOf('computeOptimizer: Active', `organization: { organizationEnrollment: auto }\n${ALLOW}`),
    );
    for (const { id } of workshop.members) workshop.cloud.set(id, { computeOptimizer: { status: 'Inactive' } });
    await workshop.clock.advance(2 * HOUR);
    const found = await scanWith(workshop, without(workshop, accountId(2)));
    expect(found.orgWide.computeOptimizer).toMatchObject({ used: false, note: expect.stringContaining('incomplete') });
  });

  it('records an account as having left although a listing still names it', async () => {
    const workshop = await scanned();
    await workshop.clock.advance(2 * HOUR);
    const gone = accountId(2);
    const found = await scanWith(workshop, {
      ...without(workshop, gone),
      readAccount: async (id, options) => (id === gone ? null : workshop.cloud.readAccount(id, options)),
    });
    expect(found.broken).toEqual([]);
    expect((await left(workshop)).map(({ chain }) => chain)).toEqual([gone]);
  });

  it('ends the drift of an account that has left although its chain does not record how it joined', async () => {
    const workshop = await scanned();
    const gone = accountId(99);
    const after = facetOfCondition(await workshop.condition(accountId(2)));
    const context = { newId: () => 'merged', now: workshop.clock.now(), actor: 'a', runId: null, policyHash: null };
    const drift = accountEntry(context, 'DriftDetected', gone, 'computeOptimizer', {
      after: { ...after, verdict: 'Drifted' },
    });
    await writeEntries(workshop.deps(), [{ record: emptyRecord(gone), decide: () => [drift] }]);
    await workshop.clock.advance(2 * HOUR);
    await scanWith(workshop, {});
    expect((await left(workshop)).map(({ chain }) => chain)).toEqual([gone]);
    expect(await workshop.condition(gone)).toMatchObject({ verdict: 'NotApplicable', driftSince: null });
    await workshop.clock.advance(2 * HOUR);
    await scanWith(workshop, {});
    expect(await left(workshop)).toHaveLength(1);
  });

  it('is incomplete if AWS denies reading the missing account', async () => {
    const workshop = await scanned();
    await workshop.clock.advance(2 * HOUR);
    const found = await scanWith(workshop, {
      ...without(workshop, accountId(2)),
      readAccount: async () => {
        throw cloudError('Denied', 'AccessDeniedException');
      },
    });
    expect(found.broken).toHaveLength(1);
    expect(await left(workshop)).toEqual([]);
  });
});
