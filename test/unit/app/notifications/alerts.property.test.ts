import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Deps } from '../../../../shared/app/context.ts';
import { Alerts } from '../../../../shared/app/notifications/webhook-alerts.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import type { Webhook } from '../../../../shared/ports/webhook.ts';
import { ACTIVE_POLICY } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';
import { record } from './news.ts';

class Crash extends Error {}

/** A process that crashes at its nth access to the register or the webhook, before or after the access took effect. */
class Dying {
  #left: number;
  readonly #after: boolean;

  constructor(touches: number, after: boolean) {
    this.#left = touches;
    this.#after = after;
  }

  async touch<T>(effect: () => Promise<T>): Promise<T> {
    const dies = this.#left === 0;
    this.#left -= 1;
    if (dies && !this.#after) throw new Crash();
    const result = await effect();
    if (dies) throw new Crash();
    return result;
  }

  registers(registers: Registers): Registers {
    return {
      read: (name) => this.touch(() => registers.read(name)),
      write: (name, value, expected) => this.touch(() => registers.write(name, value, expected)),
      remove: (name, expected) => registers.remove(name, expected),
      list: (prefix) => registers.list(prefix),
    };
  }

  webhook(webhook: Webhook): Webhook {
    return { post: (delivery, body) => this.touch(() => webhook.post(delivery, body)) };
  }
}

type Act =
  | { readonly kind: 'happen'; readonly members: readonly number[] }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'refuse'; readonly refuse: boolean }
  | { readonly kind: 'step'; readonly processes: readonly (readonly [touches: number, after: boolean])[] };

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('happen' as const),
      members: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 1_000, 16_000, 61_000, 200_000, 400_000) }),
    fc.record({ kind: fc.constant('refuse' as const), refuse: fc.boolean() }),
    fc.record({
      kind: fc.constant('step' as const),
      // Several processes in parallel; with 99 accesses the process survives.
      processes: fc.array(fc.tuple(fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 99, 99, 99), fc.boolean()), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
  ),
  { maxLength: 30 },
);

/** A store, a webhook, and every message posted to it. */
class Scene {
  readonly shop: Workshop;
  readonly happened: string[] = [];
  readonly accepted = new Map<string, string>();
  readonly offered = new Map<string, Set<string>>();
  refusing = false;
  readonly #deps: Deps;
  readonly #receiver: Webhook = {
    post: async (delivery, body) => {
      this.offered.set(delivery, (this.offered.get(delivery) ?? new Set()).add(body));
      if (this.refusing) return { ok: false, reason: 'HTTP 500', retryAfterMs: null };
      this.accepted.set(delivery, body);
      return { ok: true };
    },
  };

  constructor(shop: Workshop) {
    this.shop = shop;
    this.#deps = shop.deps();
  }

  process(dying?: Dying): Alerts {
    const registers = dying?.registers(this.#deps.registers) ?? this.#deps.registers;
    const webhook = dying?.webhook(this.#receiver) ?? this.#receiver;
    return new Alerts({ ...this.#deps, registers }, webhook, ['drift', 'failed']);
  }

  async play(act: Act): Promise<void> {
    switch (act.kind) {
      case 'happen':
        this.happened.push(...(await record(this.#deps, 'DriftDetected', act.members)));
        break;
      case 'pass':
        await this.shop.clock.advance(act.ms);
        break;
      case 'refuse':
        this.refusing = act.refuse;
        break;
      case 'step':
        await Promise.all(act.processes.map(([touches, after]) => this.#live(new Dying(touches, after))));
    }
  }

  async #live(dying: Dying): Promise<void> {
    try {
      await this.process(dying).step();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
}

const total = (body: string): number => JSON.parse(body).rollcall.total;

describe('alerts when processes crash at any point', () => {
  it('report every entry in exactly one message, and send each message with one id and one body', async () => {
    const property = fc.asyncProperty(acts, async (script) => {
      const shop = await Workshop.open({ policy: ACTIVE_POLICY });
      try {
        const scene = new Scene(shop);
        await scene.process().begin();
        for (const act of script) await scene.play(act);
        scene.refusing = false;
        for (let round = 0; round < 4; round += 1) {
          await shop.clock.advance(20 * 60_000);
          await scene.process().step();
        }
        const { accepted, offered, happened } = scene;
        expect([...accepted.values()].reduce((sum, body) => sum + total(body), 0)).toBe(happened.length);
        for (const bodies of offered.values()) expect(bodies.size).toBe(1);
        expect([...offered.keys()].sort()).toEqual([...accepted.keys()].sort());
      } finally {
        await shop.close();
      }
    });
    await fc.assert(property, { numRuns: 60 });
  }, 60_000);
});
