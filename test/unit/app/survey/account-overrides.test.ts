import { describe, expect, it } from 'vitest';
import { mergeRefreshed, recordRefreshed } from '../../../../shared/app/survey/account-overrides.ts';
import { MEMBER, NOW } from '../../../support/domain-kit.ts';
import { reconcilerBed } from '../../../support/reconciler-bed.ts';

const bed = reconcilerBed();
const MINUTE = 60_000;
const snapshotOf = (tags: boolean, takenAt: number) => ({
  ...{ organizationId: 'o-abc1234567', managementAccountId: '100000000000', takenAt, tags },
  accounts: [{ ...MEMBER, ou: '/Scanned', tags: tags ? { env: 'index' } : null }],
});

/** The account as merged into a scan that began this long after it was read on its own, with these tags. */
async function mergedAfter(ms: number, tags = true, live: Record<string, string> | null = { env: 'live' }) {
  const { registers, snapshots } = (await bed.open()).store;
  await snapshots.save(snapshotOf(tags, NOW));
  await snapshots.refresh([{ ...MEMBER, ou: '/Read', tags: live }]);
  await recordRefreshed(registers, [MEMBER.id], NOW);
  const { accounts } = await mergeRefreshed({ registers, snapshots }, snapshotOf(tags, NOW + ms));
  const [account] = accounts;
  return [account?.ou, account?.tags];
}

describe('an account that was read on its own', () => {
  it('during a scan replaces that of the scan', async () => {
    expect(await mergedAfter(-MINUTE)).toEqual(['/Read', { env: 'live' }]);
  });

  it('shortly before a scan keeps its tags, because the index may lag behind', async () => {
    expect(await mergedAfter(MINUTE)).toEqual(['/Scanned', { env: 'live' }]);
    expect(await mergedAfter(16 * MINUTE)).toEqual(['/Scanned', { env: 'index' }]);
  });

  it('without tags, or before a scan without tags, gets those of the scan', async () => {
    expect(await mergedAfter(MINUTE, true, null)).toEqual(['/Scanned', { env: 'index' }]);
    expect(await mergedAfter(MINUTE, false)).toEqual(['/Scanned', null]);
  });
});
