import { afterEach, beforeEach } from 'vitest';
import { type ReactDeps, react } from '../../../../shared/app/events/event-handler.ts';
import { beginPart, endPart, requestScan } from '../../../../shared/app/schedule/scan-schedule.ts';
import type { OrganizationAccount } from '../../../../shared/domain/policy/index.ts';
import { organizationCall } from '../../../support/cloud-trail-events.ts';
import { MANAGEMENT_ID, policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

export const MEMBERS = 300;
export let shop: Workshop;
export let reads: string[];
export let moved: Map<string, OrganizationAccount | null>;

export function deps(): ReactDeps {
  return {
    ...shop.deps(),
    readAccount: async (id) => {
      reads.push(id);
      const other = moved.get(id);
      return other !== undefined ? other : (shop.members.find((each) => each.id === id) ?? null);
    },
  };
}

export const reactTo = (event: unknown) => react(deps(), async () => shop.policy.hash, event);
export const now = () => shop.clock.now();

export const queuedAccounts = async () => [
  ...new Set((await shop.messages()).flatMap((message) => (message.kind === 'account' ? [message.accountId] : []))),
];

export const byManagement = () => ({ account: MANAGEMENT_ID, at: now() });
export const move = (id: string) => organizationCall('MoveAccount', { accountId: id }, byManagement());

/** Registers the set-up and the clean-up of every test of the file that calls this. */
export function useEventWorkshop(): void {
  beforeEach(async () => {
    shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active', 'schedule: 1h'), members: MEMBERS });
    for (const { id } of shop.members) shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    reads = [];
    moved = new Map();
    const { clock } = shop;
    const { registers } = shop.store;
    const request = await requestScan({ registers, clock, newId: () => 'run-1' }, shop.policy);
    await beginPart({ registers, clock, newId: () => '' }, request?.runId ?? '');
    await shop.scan();
    await endPart({ registers, clock, newId: () => '' }, 'run-1', 'done');
    await shop.messages();
    await shop.clock.advance(60_000);
  });
  afterEach(() => shop.close());
}
