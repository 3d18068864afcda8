import { expect, it } from 'vitest';
import { halt, readControls } from '../../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../../shared/app/operator/apply-controls.ts';
import { HOUR } from '../../support/domain-kit.ts';
import { reconcilerBed } from '../../support/reconciler-bed.ts';
import { slowSnooze } from '../../support/released-accounts.ts';
import { api } from './support.ts';

const bed = reconcilerBed();
const MEMBERS = 150;

it('answers after five seconds when the end of a halt releases many accounts, and the tick releases the others', async () => {
  await bed.open({ members: MEMBERS });
  const { shop } = bed;
  await shop.scan();
  await halt(shop.deps(), null);
  await settleControls(shop.deps());
  await shop.workOff(await shop.process());
  await shop.clock.advance(HOUR);
  const { records, clock, snoozed } = slowSnooze(shop, 100);
  const own = await api({ store: { ...shop.store, records }, clock });
  expect(await own.post('/api/unhalt', {})).toMatchObject({ status: 200, json: { halted: false, changed: true } });
  expect(snoozed.length).toBeLessThan(MEMBERS);
  expect((await readControls(shop.store.registers)).halt).toBeNull();
  const types = (await shop.chain('organization')).map(({ type }) => type);
  expect(types).toContain('EnforcementResumed');
  await shop.clock.advance(clock.now() - shop.clock.now());
  await settleControls(shop.deps());
  expect((await readControls(shop.store.registers)).notices).toEqual([]);
  expect(await shop.messages()).toHaveLength(MEMBERS);
});
