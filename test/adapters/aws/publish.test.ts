import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AwsStores } from '../../../shared/adapters/aws/store.ts';
import { memoryRegisters } from '../../../shared/adapters/embedded/memory-registers.ts';
import { type PublishDeps, publishUnpublished } from '../../../shared/app/notifications/outbox-publisher.ts';
import { OVERDUE_MS, overdueEntries } from '../../../shared/app/notifications/outbox-state.ts';
import type { LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import type { EventBus } from '../../../shared/ports/bus.ts';
import type { LogFields, Logger } from '../../../shared/ports/system.ts';
import { account, chainOf, range } from '../../contract/samples.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { type Bench, makeBench, type SimulatedAws, startSimulatedAws } from './stores.ts';

let aws: SimulatedAws;
let bench: Bench;
let stores: AwsStores;
let warnings: (LogFields | undefined)[];
beforeAll(async () => {
  aws = await startSimulatedAws();
});
afterAll(() => aws.close());
beforeEach(async () => {
  bench = await makeBench(aws);
  stores = await bench.open();
  warnings = [];
});
afterEach(() => bench.dispose());

/** Yields to the event loop, so that pending requests progress, until the condition holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

let owners = 0;
/** A new lease owner for each call of `deps`, as if each were a separate process. */
function newOwner(): string {
  owners += 1;
  return `owner-${owners}`;
}

const nothing = (): undefined => undefined;

/** A bus that accepts the entries that `takes` selects, and records every entry it receives. */
function makeBus(takes: (entry: LedgerEntry) => boolean): EventBus & { readonly given: string[] } {
  const given: string[] = [];
  return {
    given,
    async publish(entries) {
      given.push(...entries.map(({ id }) => id));
      const refused = entries.filter((entry) => !takes(entry));
      return {
        accepted: new Set(entries.filter(takes).map(({ id }) => id)),
        refused: refused.map(({ id }) => ({ id, code: 'MalformedDetail', message: 'no' })),
      };
    },
  };
}

function deps(bus: EventBus): PublishDeps {
  const logger: Logger = {
    ...{ debug: nothing, info: nothing, error: nothing },
    warn: (_message, fields) => void warnings.push(fields),
  };
  return { ...stores, newId: newOwner, bus, clock: bench.clock, logger };
}

describe('publishing the outbox', () => {
  it('publishes every entry once and marks it', async () => {
    const entries = range(5).flatMap((n) => chainOf(account(n), 5));
    await stores.ledger.append(entries);
    const bus = makeBus(() => true);
    expect(await publishUnpublished(deps(bus), { pageSize: 10 })).toEqual({ published: 25, refused: 0 });
    expect([...bus.given].sort()).toEqual(entries.map(({ id }) => id).sort());
    expect(await stores.ledger.unpublished(10)).toEqual([]);
    expect(await publishUnpublished(deps(bus))).toEqual({ published: 0, refused: 0 });
    expect(warnings).toEqual([]);
  });

  it('reads each entry once, plus one read to detect the end', async () => {
    await stores.ledger.append(chainOf(account(1), 25));
    let read = 0;
    const unpublished = async (limit: number) => {
      const page = await stores.ledger.unpublished(limit);
      read += page.length;
      return page;
    };
    const ledger = { unpublished, markPublished: stores.ledger.markPublished.bind(stores.ledger) };
    expect(await publishUnpublished({ ...deps(makeBus(() => true)), ledger })).toEqual({ published: 25, refused: 0 });
    expect(read).toBe(26);
  });

  it('a rejected entry stays, is reported, and does not block later entries', async () => {
    const entries = chainOf(account(1), 45);
    await stores.ledger.append(entries);
    const bus = makeBus(({ seq }) => seq > 25);
    expect(await publishUnpublished(deps(bus), { pageSize: 20 })).toEqual({ published: 20, refused: 25 });
    expect(bus.given).toHaveLength(45);
    expect(await stores.ledger.unpublished(500)).toEqual(entries.slice(0, 25));
    expect(warnings).toMatchObject([{ entries: 25, codes: { MalformedDetail: 25 }, example: 'no' }]);
    expect(await publishUnpublished(deps(makeBus(() => true)))).toEqual({ published: 25, refused: 0 });
  });

  it('stops calling a bus that accepts nothing', async () => {
    await stores.ledger.append(chainOf(account(1), 60));
    const down = makeBus(() => false);
    expect(await publishUnpublished(deps(down), { pageSize: 10 })).toEqual({ published: 0, refused: 50 });
    expect(down.given).toHaveLength(50);
  });

  it('keeps the last rejection as the reason, and counts only entries that wait too long', async () => {
    const entries = chainOf(account(1), 3);
    await stores.ledger.append(entries);
    await publishUnpublished(deps(makeBus(() => false)));
    const oldest = Date.parse(entries[0]?.at ?? '');
    expect(await overdueEntries(stores, oldest + OVERDUE_MS)).toBeNull();
    expect(await overdueEntries(stores, oldest + OVERDUE_MS + 86_400_000)).toEqual({
      ...{ overdue: 3, more: false, oldestAt: entries[0]?.at },
      refusal: { at: new Date(bench.clock.now()).toISOString(), code: 'MalformedDetail', message: 'no' },
    });
    await publishUnpublished(deps(makeBus(() => true)));
    expect(await overdueEntries(stores, oldest + OVERDUE_MS + 86_400_000)).toBeNull();
  });

  it('counts at most one page', async () => {
    await stores.ledger.append(range(3).flatMap((n) => chainOf(account(n), 50)));
    const found = await overdueEntries(stores, Date.UTC(2100, 0));
    expect(found).toMatchObject({ overdue: 100, more: true, refusal: null });
  });

  it('a page that takes longer than the lease is not published by another process', async () => {
    const entries = chainOf(account(1), 3);
    await stores.ledger.append(entries);
    const clock = manualClock(bench.clock.now());
    const registers = memoryRegisters();
    const bus = makeBus(() => true);
    const slow: EventBus = {
      async publish(given) {
        await clock.sleep(120_000);
        return bus.publish(given);
      },
    };
    const first = publishUnpublished({ ...deps(slow), registers, clock });
    await until(() => clock.sleeping > 1);
    for (let round = 0; round < 5; round += 1) {
      await clock.advance(20_000);
      const second = { ...deps(bus), registers, clock };
      expect(await publishUnpublished(second)).toEqual({ published: 0, refused: 0 });
    }
    await clock.advance(30_000);
    expect(await first).toEqual({ published: 3, refused: 0 });
    expect(bus.given).toHaveLength(3);
  });

  it('after losing the lease, marks accepted entries and starts no further page', async () => {
    await stores.ledger.append(chainOf(account(1), 30));
    const clock = manualClock(bench.clock.now());
    const registers = memoryRegisters();
    const bus = makeBus(() => true);
    const losing: EventBus = {
      async publish(given) {
        const [register] = await registers.list('lease/');
        if (register !== undefined) {
          const taken = { owner: 'other', expiresAt: clock.now() + 600_000 };
          await registers.write(register.name, taken, register.version);
          await clock.advance(20_000);
        }
        return bus.publish(given);
      },
    };
    const ended = await publishUnpublished({ ...deps(losing), registers, clock }, { pageSize: 10 });
    expect(ended).toEqual({ published: 10, refused: 0 });
    expect(await stores.ledger.unpublished(100)).toHaveLength(20);
  });

  it('an entry without an answer of the bus counts as not accepted', async () => {
    await stores.ledger.append(chainOf(account(1), 3));
    const mute: EventBus = { publish: async () => ({ accepted: new Set(), refused: [] }) };
    expect(await publishUnpublished(deps(mute))).toEqual({ published: 0, refused: 3 });
    expect(await stores.ledger.unpublished(10)).toHaveLength(3);
  });

  it('a crash before marking publishes again, with the same ids', async () => {
    await stores.ledger.append(chainOf(account(1), 3));
    const bus = makeBus(() => true);
    const dying = {
      ...deps(bus),
      ledger: { ...stores.ledger, markPublished: () => Promise.reject(new Error('killed')) },
    };
    await expect(publishUnpublished(dying)).rejects.toThrow('killed');
    await publishUnpublished(deps(bus));
    expect(bus.given).toHaveLength(6);
    expect(new Set(bus.given).size).toBe(3);
  });

  it('does not publish an entry twice in one run if the outbox is stale', async () => {
    const entries = chainOf(account(1), 3);
    await stores.ledger.append(entries);
    const bus = makeBus(() => true);
    const lagging = { ...deps(bus), ledger: { ...stores.ledger, unpublished: async () => entries } };
    expect(await publishUnpublished(lagging)).toEqual({ published: 3, refused: 0 });
    expect(bus.given).toHaveLength(3);
  });

  it('starts nothing after its deadline', async () => {
    await stores.ledger.append(chainOf(account(1), 3));
    const bus = makeBus(() => true);
    expect(await publishUnpublished(deps(bus), { until: bench.clock.now() })).toEqual({ published: 0, refused: 0 });
    expect(await stores.ledger.unpublished(500)).toHaveLength(3);
  });
});
