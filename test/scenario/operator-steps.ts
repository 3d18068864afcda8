import { halt, suspend, unhalt } from '../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import type { World } from '../support/world.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const ALL = { guardrails: '{ maxChanges: { percent: 100, atLeast: 10 } }', more: 'schedule: 12h' };

export function selectorOf(text: string) {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.selector;
}

export const operatorOf = (app: Runtime) => ({ ...app.deps, actor: 'user:ada' });

export async function suspendFor(app: Runtime, text: string, until: number | null = null): Promise<void> {
  await suspend(operatorOf(app), { selector: selectorOf(text), until, reason: 'incident 7' });
  await settleControls(operatorOf(app));
}

export async function haltAll(app: Runtime): Promise<void> {
  await halt(operatorOf(app), 'incident 7');
  await settleControls(operatorOf(app));
}

export async function unhaltAll(app: Runtime): Promise<void> {
  await unhalt(operatorOf(app));
  await settleControls(operatorOf(app));
}

export const inactive = (world: World): string[] =>
  world.members(({ computeOptimizer }) => computeOptimizer.status !== 'Active').map(({ accountId }) => accountId);

export const told = async (world: World): Promise<string[]> => {
  const chain = await world.look(({ ledger }) => ledger.read(ORGANIZATION_CHAIN, 0, 1_000));
  return chain.map(({ type, reason }) => `${type} ${reason}`).filter((text) => !text.startsWith('Scan'));
};

export const HELD = { openDrift: () => true };

export async function beat(world: World, app: Runtime): Promise<void> {
  await world.announce(app);
  await world.work(app);
  world.clock.advance(MINUTE);
  await world.work(app);
}

export function optOut(world: World, ids: readonly string[]): void {
  world.sandbox.drift({
    changes: ids.map((accountId) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' })),
  });
}
