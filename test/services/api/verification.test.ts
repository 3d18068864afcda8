import { expect, test } from 'vitest';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { writeDigest } from '../../../shared/app/ledger/digest.ts';
import { Verification } from '../../../shared/app/runtime/verification.ts';
import { account, sealAll } from '../../contract/samples.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../support/manual-clock.ts';
import { api, documented, OPERATE, store as openStore, READ, TOKENS } from './support.ts';

const nothing = (): void => undefined;
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

test('a reader verifies the audit log, and everybody sees the result, its time and the last digest', async () => {
  const clock = manualClock(MANUAL_CLOCK_START);
  const store = await openStore(clock);
  await store.ledger.append([
    ...sealAll('organization', [{ type: 'ScanStarted' }, { type: 'ScanCompleted' }]),
    ...sealAll(account(1), [{ type: 'AccountJoined' }]),
  ]);
  const own = await api({ store, clock, env: TOKENS });
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  const before = await own.send('/api/audit/verification', { headers: as(READ) });
  expect(documented(SCHEMAS.Verification, before.json)).toMatchObject({ state: 'notVerified', digest: null });

  const deps = { ...store, clock, newId: own.system.newId, actor: 'rollcall' };
  const digest = (await writeDigest(deps))?.detail?.digest;
  const verified = documented(SCHEMAS.Verification, (await own.post('/api/audit/verify', {}, as(READ))).json);
  const at = new Date(MANUAL_CLOCK_START).toISOString();
  expect(verified).toMatchObject({
    state: 'intact',
    verifiedAt: at,
    chains: 2,
    entries: 4,
    faults: [],
    running: false,
  });
  expect(verified.digest).toMatchObject({ ...digest, outcome: 'matches' });
  const seen = await own.send('/api/audit/verification', { headers: as(OPERATE) });
  expect(documented(SCHEMAS.Verification, seen.json)).toEqual(verified);
});

test('a long-lived process verifies again when the result is old, once for all readers', async () => {
  const clock = manualClock(MANUAL_CLOCK_START);
  const store = await openStore(clock);
  await store.ledger.append(sealAll('organization', [{ type: 'ScanStarted' }]));
  const verification = new Verification({ stores: store, clock, logger, inBackground: true });
  const [first, second] = await Promise.all([verification.last(), verification.last()]);
  expect([first.state, second.state]).toEqual(['notVerified', 'notVerified']);
  const shared = await verification.now();
  expect(shared).toMatchObject({ state: 'intact', entries: 1 });
  await clock.advance(5 * 60_000);
  expect((await verification.last()).running).toBe(false);
  await clock.advance(1_000);
  expect((await verification.last()).running).toBe(true);
  expect((await verification.now()).verifiedAt).toBe(new Date(clock.now()).toISOString());
});

test('a damaged chain is named', async () => {
  const clock = manualClock(MANUAL_CLOCK_START);
  const store = await openStore(clock);
  const [first, second] = sealAll('organization', [{ type: 'ScanStarted' }, { type: 'ScanCompleted' }]);
  if (first === undefined || second === undefined) throw new Error('no entries');
  await store.ledger.append([first, { ...second, reason: 'changed later' }]);
  const { post } = await api({ store, clock });
  const damaged = documented(SCHEMAS.Verification, (await post('/api/audit/verify', {})).json);
  expect(damaged).toMatchObject({ state: 'damaged', faults: [{ chain: 'organization', kind: 'edit', seq: 2 }] });
});
