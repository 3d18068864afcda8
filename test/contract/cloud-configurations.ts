import { expect } from 'vitest';
import type { ConfigurationTarget, RuleMode } from '../../shared/domain/enrollment/model.ts';
import type { SendConfiguration } from '../../shared/ports/cloud.ts';
import { withoutRetries } from '../support/without-retries.ts';
import {
  countOf,
  failureOf,
  findMember,
  listAll,
  type Promised,
  patiently,
  ruleModeSourceOf,
  set,
  truthOf,
  type World,
} from './cloud-world.ts';

const RETRY = { retry: withoutRetries };
/** Longer than AWS takes to apply a change to an OU or the root. */
const APPLIED_MS = 5 * 60_000;

function rootOf({ sandbox }: World): ConfigurationTarget {
  const root = sandbox.organizationalUnits().find(({ parentId }) => parentId === null);
  return { type: 'organizationalUnit', id: root?.id ?? '' };
}

function unitNamed({ sandbox }: World, name: string): ConfigurationTarget {
  const unit = sandbox.organizationalUnits().find((each) => each.name === name);
  return { type: 'organizationalUnit', id: unit?.id ?? '' };
}

async function put(world: World, target: ConfigurationTarget, ruleMode: RuleMode): Promise<void> {
  await sent(world.cloud.configurations.preparePut(target, ruleMode, `put-${target.id}-${ruleMode}`));
  await world.clock.advance(APPLIED_MS);
}

/** The result of a change that is sent as soon as it is prepared. */
async function sent(prepared: Promise<SendConfiguration>) {
  const send = await prepared;
  return send();
}

/** The promises of organization enrollment configurations. */
export const CONFIGURATION_PROMISES = {
  async 'configurations: list returns what put stored and delete left'(open) {
    for (const caller of ['management', 'delegatedAdministrator'] as const) {
      const world = await open({ caller });
      const { configurations } = world.cloud;
      const account = { type: 'account', id: findMember(world).accountId } as const;
      expect(await configurations.list(RETRY)).toEqual([]);
      await put(world, account, 'NoneAllowed');
      await put(world, rootOf(world), 'AnyAllowed');
      const stored = await configurations.list(RETRY);
      expect(stored).toHaveLength(2);
      expect(stored).toContainEqual({ target: account, ruleMode: 'NoneAllowed' });
      expect(stored).toContainEqual({ target: rootOf(world), ruleMode: 'AnyAllowed' });
      expect(await sent(configurations.prepareDelete(account, 'delete'))).toEqual({ requestId: expect.any(String) });
      expect(await configurations.list(RETRY)).toEqual([{ target: rootOf(world), ruleMode: 'AnyAllowed' }]);
    }
  },

  async 'configurations: list reads on after empty pages, wraps each page in retry, and throws for an interrupted one'(
    open,
  ) {
    const world = await open();
    await put(world, rootOf(world), 'AnyAllowed');
    world.sandbox.setFaults([{ kind: 'empty-page', from: 1, count: 2 }]);
    expect(await world.cloud.configurations.list(RETRY)).toHaveLength(1);
    world.sandbox.setFaults([{ kind: 'throttle', from: 1, count: 1 }]);
    expect(await world.cloud.configurations.list({ retry: patiently })).toHaveLength(1);
    world.sandbox.setFaults([{ kind: 'torn-page' }]);
    expect((await failureOf(world.cloud.configurations.list(RETRY))).kind).toBe('Invalid');
  },

  async 'configurations: a listed account carries the source of its rule mode'(open) {
    const world = await open({ sandbox: { accounts: 60 } });
    const { accountId } = findMember(world, ({ ou }) => ou === '/Workloads/Dev');
    set(world, accountId, 'computeOptimizer', 'Active');
    await put(world, unitNamed(world, 'Workloads'), 'NoneAllowed');
    await put(world, { type: 'account', id: accountId }, 'AnyAllowed');
    const { items } = await listAll((token) => world.cloud.list('automation', token));
    for (const item of items) expect(item.ruleModeSource).toEqual(ruleModeSourceOf(truthOf(world, item.accountId)));
    expect(items.find((item) => item.accountId === accountId)).toMatchObject({
      observed: { status: 'Active', ruleMode: 'AnyAllowed' },
      ruleModeSource: { type: 'applied', targetId: accountId },
    });
    const types = new Set(items.map(({ ruleModeSource }) => ruleModeSource?.type));
    expect(types).toEqual(new Set(['applied', 'inherited', 'direct', 'default']));
  },

  async 'configurations: a change of a target that AWS is still changing is a retryable Conflict'(open) {
    const world = await open();
    const { configurations } = world.cloud;
    const root = rootOf(world);
    await sent(configurations.preparePut(root, 'AnyAllowed', 'a'));
    const failure = await failureOf(sent(configurations.prepareDelete(root, 'b')));
    expect(failure).toMatchObject({ kind: 'Conflict', retryable: true, details: { code: 'ConflictException' } });
    await world.clock.advance(APPLIED_MS);
    await sent(configurations.prepareDelete(root, 'b'));
  },

  async 'configurations: a token repeats only the same call'(open) {
    const world = await open();
    const { configurations } = world.cloud;
    const account = { type: 'account', id: findMember(world).accountId } as const;
    await sent(configurations.preparePut(account, 'AnyAllowed', 'same'));
    await sent(configurations.prepareDelete(account, 'delete'));
    await sent(configurations.preparePut(account, 'AnyAllowed', 'same'));
    expect(await configurations.list(RETRY)).toEqual([]);
    const mismatch = await failureOf(sent(configurations.preparePut(account, 'NoneAllowed', 'same')));
    expect(mismatch).toMatchObject({ kind: 'Conflict', retryable: false });
  },

  async 'configurations: other accounts are denied'(open) {
    const world = await open({ caller: 'member' });
    const { configurations } = world.cloud;
    expect((await failureOf(configurations.list(RETRY))).kind).toBe('Denied');
    expect((await failureOf(sent(configurations.preparePut(rootOf(world), 'AnyAllowed', 'a')))).kind).toBe('Denied');
    expect((await failureOf(sent(configurations.prepareDelete(rootOf(world), 'b')))).kind).toBe('Denied');
  },

  async 'configurations: a prepared change has its permit, and nothing is sent until the caller sends it'(open) {
    const world = await open();
    const { configurations } = world.cloud;
    await configurations.preparePut(rootOf(world), 'AnyAllowed', 'a');
    const operation = 'PutOrganizationEnrollmentConfiguration';
    expect(world.calls.at(-1)).toEqual({ what: 'acquire', operation });
    await configurations.prepareDelete(rootOf(world), 'b');
    expect(world.calls.at(-1)).toEqual({ what: 'acquire', operation: 'DeleteOrganizationEnrollmentConfiguration' });
    expect(countOf(world, operation)).toBe(0);
    expect(countOf(world, 'DeleteOrganizationEnrollmentConfiguration')).toBe(0);
  },
} satisfies Record<string, Promised>;
