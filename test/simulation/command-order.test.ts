import { beforeEach, describe, expect, it } from 'vitest';
import { halt, readControls, resume, suspend, unhalt } from '../../shared/app/guardrails/controls.ts';
import { expired, NO_CONTROLS } from '../../shared/domain/decision/operator-controls.ts';
import { parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import { account } from '../contract/samples.ts';
import { CommandOrder } from './command-order.ts';
import { type MemoryStores, memoryStores } from './memory-stores.ts';

let stores: MemoryStores;
let order: CommandOrder;
let ids = 0;

function newId(): string {
  ids += 1;
  return `id-${ids}`;
}

const deps = () => ({
  registers: stores.registers,
  clock: { now: () => 0, sleep: async () => undefined },
  newId,
  actor: 'anna',
});

function selectorOf(text: string) {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.selector;
}

const suspendIt = (text: string) => suspend(deps(), { selector: selectorOf(text), until: null, reason: null });

beforeEach(() => {
  stores = memoryStores({ now: () => 0 });
  order = new CommandOrder();
  stores.inside.onRegister = (name, value) => order.stored(name, value);
});

describe('the order of the commands in the store', () => {
  it('ends a suspension if the resume is stored after it', async () => {
    await suspendIt(account(1));
    expect(order.hasEnded(account(1))).toBe(false);
    await resume(deps(), selectorOf('all'));
    expect(order.hasEnded(account(1))).toBe(true);
    expect(order.hasEnded(account(2))).toBe(false);
  });

  it('keeps a suspension that is stored after the resume', async () => {
    await suspendIt(account(1));
    await resume(deps(), selectorOf('all'));
    await suspendIt(account(1));
    expect(order.hasEnded(account(1))).toBe(false);
  });

  it('keeps a suspension that no resume has removed', async () => {
    await suspendIt(account(1));
    const { version } = (await stores.registers.read('controls')) ?? { version: null };
    await stores.registers.write('controls', NO_CONTROLS, version);
    expect(order.hasEnded(account(1))).toBe(false);
  });

  it('ignores expiry, because no suspension of a history has an end', async () => {
    await suspend(deps(), { selector: selectorOf(account(1)), until: 1, reason: null });
    const known = await readControls(stores.registers);
    const { version } = (await stores.registers.read('controls')) ?? { version: null };
    await stores.registers.write('controls', expired(known, 2, newId, 'anna'), version);
    expect(order.hasEnded(account(1))).toBe(false);
  });

  it('treats halts like suspensions', async () => {
    await halt(deps(), null);
    expect(order.hasEnded(null)).toBe(false);
    await unhalt(deps());
    expect(order.hasEnded(null)).toBe(true);
    await halt(deps(), null);
    expect(order.hasEnded(null)).toBe(false);
  });

  it('replaces the commands with those of a restored store', async () => {
    const backup = stores.inside.backup();
    await suspendIt(account(1));
    await resume(deps(), selectorOf('all'));
    const notice = { id: 'restored', type: 'AccountSuspended', reason: 'operator', selector: account(1) };
    backup.restore(() => ({ registers: new Map([['controls', { notices: [notice] }]]), drafts: [], report: null }));
    expect(order.hasEnded(account(1))).toBe(false);
  });
});
