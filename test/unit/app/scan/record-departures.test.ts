import { describe, expect, it } from 'vitest';
import { commandContext } from '../../../../shared/app/ledger/organization-entry.ts';
import { writeEntries } from '../../../../shared/app/ledger/write-entries.ts';
import { departures } from '../../../../shared/app/scan/record-departures.ts';
import { emptyRecord } from '../../../../shared/domain/account/record.ts';
import { accountEntry } from '../../../../shared/domain/account/transition.ts';
import { HOUR, policyOf } from '../../../support/domain-kit.ts';
import { scanWith, useWorkshop } from '../../../support/scan-bed.ts';
import { accountId, type Workshop } from '../../../support/workshop.ts';

const MINUTE = 60_000;
const ENROLL = policyOf('computeOptimizer: Active');
/** An account that the listing of the organization lacks. */
const NEWCOMER = accountId(7);

const open = useWorkshop();

/** An event has reported this long ago that the account joined. */
async function joined(workshop: Workshop, ago: number) {
  const context = { ...commandContext(workshop.deps()), now: workshop.clock.now() - ago };
  const detail = { account: { name: 'new', ou: '/', state: 'ACTIVE' } } as const;
  const entry = accountEntry(context, 'AccountJoined', NEWCOMER, null, { detail });
  const [written] = await writeEntries(workshop.deps(), [{ record: emptyRecord(NEWCOMER), decide: () => [entry] }]);
  return written?.record ?? expect.fail('nothing was written');
}

const typesOf = async (workshop: Workshop) => (await workshop.chain(NEWCOMER)).map(({ type }) => type);

describe('a scan that continues with a listing of the organization from ten minutes ago', () => {
  async function scanned({ joinedAgo }: { readonly joinedAgo: number }) {
    const workshop = await open({ policy: ENROLL, members: 2 });
    await workshop.clock.advance(HOUR);
    await joined(workshop, joinedAgo);
    const takenAt = workshop.clock.now() - 10 * MINUTE;
    await scanWith(workshop, {
      readOrganization: async (options) => ({ ...(await workshop.cloud.readOrganization(options)), takenAt }),
    });
    return typesOf(workshop);
  }

  it('does not record that an account left which joined later', async () => {
    expect(await scanned({ joinedAgo: 5 * MINUTE })).toEqual(['AccountJoined']);
  });

  it('does not do so either if the clock that timed the join is seconds behind', async () => {
    expect(await scanned({ joinedAgo: 10 * MINUTE + 5_000 })).toEqual(['AccountJoined']);
  });

  it('records that an account left which joined before', async () => {
    expect(await scanned({ joinedAgo: 15 * MINUTE })).toEqual(['AccountJoined', 'AccountLeft']);
  });
});

describe('an entry about an account that left', () => {
  it('is not written if its chain has grown since the account was found missing', async () => {
    const workshop = await open({ policy: ENROLL, members: 2 });
    await workshop.clock.advance(HOUR);
    const record = await joined(workshop, 30 * MINUTE);
    const deps = workshop.deps();
    const missing = await departures(deps, workshop.run(), [record], workshop.clock.now());
    expect(missing).toHaveLength(1);
    await joined(workshop, 0);
    await writeEntries(deps, missing);
    expect(await typesOf(workshop)).toEqual(['AccountJoined', 'AccountJoined']);
  });
});
