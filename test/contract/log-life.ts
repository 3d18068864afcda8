import { expect } from 'vitest';
import type { Stores } from '../../shared/app/context.ts';
import { ORGANIZATION } from '../../shared/app/coordination/organization-binding.ts';
import { writeTyped } from '../../shared/app/coordination/typed-register.ts';
import { pruneOld } from '../../shared/app/ledger/retention.ts';
import { verifyCheckpoint } from '../../shared/app/queries/audit/verify-checkpoint.ts';
import { loggedThrough } from '../../shared/app/transparency/chain-places.ts';
import { logStatus } from '../../shared/app/transparency/checkpoint-state.ts';
import { logReader } from '../../shared/app/transparency/log-reader.ts';
import { TransparencyLog } from '../../shared/app/transparency/transparency-log.ts';
import { headOf, sealEntry } from '../../shared/domain/ledger/entry.ts';
import { writeVerifierKey } from '../../shared/domain/transparency/verifier-key.ts';
import type { Logger } from '../../shared/ports/system.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { keyNamed, memorySigner } from '../unit/app/transparency/checkpoint-parts.ts';
import { account, chainOf, draft, range } from './samples.ts';

const DAY = 86_400_000;
const CHAINS = 40;
const silent = () => undefined;
const logger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

type LogStores = Pick<Stores, 'ledger' | 'records' | 'registers' | 'snapshots'>;

/** The life of a log on real stores: an older store is added to it, grows, is pruned, and still proves and verifies. */
export async function logLife(stores: LogStores, clock: ManualClock): Promise<void> {
  const { ledger, registers } = stores;
  let ids = 0;
  const deps = { ...stores, clock, logger, actor: 'test', newId: () => `ID${ids++}` };
  const log = new TransparencyLog(deps, 0);
  const checkpointing = async () => ({ signer: memorySigner(), archive: null, witnesses: [] });
  const keep = () => log.run(checkpointing, { until: Number.POSITIVE_INFINITY, last: true });
  await writeTyped(registers, ORGANIZATION, { organizationId: 'o-test', boundAt: 0, by: 'test' }, null);
  for (const n of range(CHAINS)) await ledger.append(chainOf(account(n), 10));
  await keep();
  const first = (await logReader(stores).newestCheckpoint()) ?? expect.fail('no checkpoint');
  expect(first.size).toBe(10 * CHAINS);

  for (const n of range(CHAINS)) {
    const at = new Date(clock.now()).toISOString();
    await ledger.append([sealEntry(draft({ chain: account(n), at, reason: 'later' }), await ledger.head(account(n)))]);
  }
  await clock.advance(DAY);
  await keep();
  const second = (await logReader(stores).newestCheckpoint()) ?? expect.fail('no checkpoint');
  expect(second.size).toBe(11 * CHAINS + 1);
  const [entry] = await ledger.read(account(7), 4, 1);
  expect((await logReader(stores).proofOf(entry ?? expect.fail('no entry'))).proof).toContain(second.note);

  await clock.advance(90 * DAY);
  for (let more = true; more; ) {
    ({ more } = await pruneOld(deps, 30 * DAY, (chain) => loggedThrough(registers, chain)));
  }
  const left = await ledger.read(account(7), 0, 20);
  expect(left.map(({ type }) => type)).toEqual(['ChainPruned']);
  await keep();
  const key = writeVerifierKey(keyNamed(first.origin));
  for (const { note } of [first, second]) {
    expect(await verifyCheckpoint(stores, { note, key })).toMatchObject({
      ...{ ok: true, faults: [], checkpoint: { outcome: 'consistent' } },
      log: { problems: [] },
    });
  }
  expect(await logReader(stores).indexOf(account(7), 5)).toBe(7 * 10 + 4);
  expect(await logStatus(registers)).toMatchObject({ refused: null, unsigned: null, log: { broken: [] } });
  expect(headOf(left[0] ?? expect.fail('no entry')).seq).toBe(12);
}
