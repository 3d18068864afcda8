import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import {
  bindOrganization,
  organizationOf,
  requireOrganization,
} from '../../../../shared/app/coordination/organization-binding.ts';

const arn = 'arn:aws:iam::111122223333:role/rollcall';
const withSnapshotOf = (organizationId: string | null) => ({
  registers: memoryRegisters(),
  snapshots: {
    meta: async () =>
      organizationId === null ? null : { organizationId, managementAccountId: '111122223333', takenAt: 0, tags: false },
  },
});

describe('a store belongs to one organization', () => {
  it('of concurrent first commands, those of one organization succeed and all others are refused', async () => {
    const organizations = fc.array(fc.constantFrom('o-a', 'o-b', 'o-c'), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(organizations, async (ids) => {
        const store = withSnapshotOf(null);
        const results = await Promise.allSettled(
          ids.map((organizationId) => bindOrganization(store, { organizationId, arn }, 1)),
        );
        const owner = await organizationOf(store);
        for (const [n, { status }] of results.entries()) {
          expect(status).toBe(ids[n] === owner ? 'fulfilled' : 'rejected');
        }
      }),
    );
  });

  it('known by its snapshot, it refuses another organization without binding itself', async () => {
    const store = withSnapshotOf('o-old');
    await expect(bindOrganization(store, { organizationId: 'o-new', arn }, 1)).rejects.toMatchObject({
      code: 'OtherOrganization',
    });
    expect(await store.registers.list('')).toEqual([]);
    await bindOrganization(store, { organizationId: 'o-old', arn }, 1);
    await expect(requireOrganization(store, 'o-new')).rejects.toThrow(/o-old.*o-new/);
    await requireOrganization(store, 'o-old');
  });

  it('reading a store without an owner writes nothing', async () => {
    const store = withSnapshotOf(null);
    await requireOrganization(store, 'o-new');
    expect(await store.registers.list('')).toEqual([]);
  });
});
