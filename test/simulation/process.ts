import { hostTime } from '../../shared/adapters/embedded/host-time.ts';
import type { Deps, Settings } from '../../shared/app/context.ts';
import { createLimiter, type LimiterOptions } from '../../shared/app/rate-limiter/rate-limiter.ts';
import { createRetrying, type Retrying } from '../../shared/app/support/retry.ts';
import { type CompiledPolicy, callCeiling } from '../../shared/domain/policy/index.ts';
import { MAX_CLOCK_ERROR_MS } from '../../shared/domain/rate-limit/clock-difference.ts';
import type { Cloud } from '../../shared/ports/cloud.ts';
import type { Delivery, WorkQueue } from '../../shared/ports/queue.ts';
import type { Clock, Logger } from '../../shared/ports/system.ts';
import { NO_TRACER } from '../../shared/ports/tracer.ts';
import { engineCloud } from './engine-cloud.ts';
import type { Environment } from './environment.ts';

/** Work of a killed process waits for this forever. */
const never = new Promise<never>(() => undefined);
const unharmed = Promise.resolve();

/** Batch calls that a store may have done in part when it fails or the process dies. */
const IN_PARTS: ReadonlySet<string> = new Set(['append', 'advance', 'markPublished', 'send', 'acknowledge', 'refresh']);

function firstHalf([items, ...rest]: readonly unknown[]): unknown[] | null {
  if (!Array.isArray(items) || items.length < 2) return null;
  return [items.slice(0, items.length >> 1), ...rest];
}

/** The error of a store that does not answer. */
class StoreDown extends Error {
  override readonly name = 'StoreDown';
}

/**
 * One process: its own clock with a small offset, its own memory, and the stores that all processes share. It may die at any step and then
 * does nothing more.
 */
export class Process {
  readonly name: string;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly #environment: Environment;
  readonly #skewMs: number;
  readonly #stop = new AbortController();
  #alive = true;

  constructor(environment: Environment, name: string) {
    this.#environment = environment;
    this.name = name;
    this.startedAt = environment.time.now();
    const { skewMs } = environment.faultProfile;
    this.#skewMs = skewMs === 0 ? 0 : environment.chance.between(-skewMs, skewMs);
  }

  get alive(): boolean {
    return this.#alive;
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** SIGKILL. */
  die(): void {
    if (this.#alive) this.#environment.note(`${this.name} dies`);
    this.#alive = false;
    this.#stop.abort('SIGKILL');
  }

  /** SIGTERM. */
  end(): void {
    this.#stop.abort('SIGTERM');
  }

  get clock(): Clock {
    return this.#clockOff(this.#skewMs);
  }

  /** Leases and claims tolerate larger clock offsets than the limiter, so the limiter's offset is clamped. */
  #limiterTimes(): Pick<LimiterOptions, 'clock' | 'monotonic' | 'storeTime'> {
    const { time } = this.#environment;
    const monotonic = (): number => time.now();
    const skewMs = Math.max(-MAX_CLOCK_ERROR_MS, Math.min(MAX_CLOCK_ERROR_MS, this.#skewMs));
    return { clock: this.#clockOff(skewMs), monotonic, storeTime: hostTime(time, monotonic) };
  }

  #clockOff(skewMs: number): Clock {
    const { time } = this.#environment;
    return {
      now: () => time.now() + skewMs,
      sleep: async (ms, signal) => {
        await time.sleep(ms, signal);
        if (!this.#alive) await never;
      },
    };
  }

  /** Continues without a delay, unless the process dies. */
  live(): Promise<void> {
    const { chance, faultProfile } = this.#environment;
    if (this.#alive && chance.happens(faultProfile.death)) this.die();
    return this.#alive ? unharmed : never;
  }

  /** Lets time pass, unless the process dies. */
  async step(atLeastMs = 0): Promise<void> {
    const { chance, faultProfile, time } = this.#environment;
    await this.live();
    if (atLeastMs > 0) await time.sleep(atLeastMs);
    if (chance.happens(faultProfile.delay)) await time.sleep(chance.skewed(0, faultProfile.longestDelayMs));
    if (!this.#alive) return never;
  }

  /** A port as this process sees it. */
  #remote<Port extends object>(port: Port): Port {
    const around = async (name: string, call: () => unknown, part: (() => unknown) | null = null): Promise<unknown> => {
      const { chance, faultProfile } = this.#environment;
      await this.step();
      if (chance.happens(faultProfile.storeFails)) throw new StoreDown(`${name} was not answered`);
      if (part !== null && chance.happens(faultProfile.storeFails)) {
        await part();
        await this.step();
        throw new StoreDown(`${name} was done in part`);
      }
      const answer = await call();
      await this.step();
      if (chance.happens(faultProfile.answerLost)) throw new StoreDown(`the answer to ${name} was lost`);
      return answer;
    };
    return new Proxy(port, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        const call = (given: unknown[]): unknown => Reflect.apply(member, target, given);
        if (property === 'all' || property === 'heads' || property === 'ends')
          return (...given: unknown[]) => this.#pages(call(given));
        return (...given: unknown[]) => {
          const half = IN_PARTS.has(String(property)) ? firstHalf(given) : null;
          return around(String(property), () => call(given), half === null ? null : () => call(half));
        };
      },
    });
  }

  async *#pages(pages: unknown): AsyncGenerator<unknown> {
    if (!isAsyncIterable(pages)) throw new TypeError('not pages');
    for await (const page of pages) {
      await this.step();
      yield page;
    }
  }

  /** Reports received and finished messages to the checker. */
  #queue(): WorkQueue {
    const queue = this.#remote(this.#environment.stores.queue);
    const untrack = (delivery: Delivery): void => this.#environment.finished(delivery, this);
    return {
      send: (messages, options) => {
        this.#environment.sent(messages, this);
        return queue.send(messages, options);
      },
      extend: (delivery, visibilityMs) => queue.extend(delivery, visibilityMs),
      depth: () => queue.depth(),
      pending: () => queue.pending(),
      receive: async (max, visibilityMs, lane) => {
        const deliveries = await queue.receive(max, visibilityMs, lane);
        this.#environment.received(deliveries, this);
        return deliveries;
      },
      acknowledge: (deliveries) => {
        deliveries.forEach(untrack);
        return queue.acknowledge(deliveries);
      },
      release: (delivery, delayMs) => {
        untrack(delivery);
        return queue.release(delivery, delayMs);
      },
      putBack: (delivery, delayMs) => {
        untrack(delivery);
        return queue.putBack(delivery, delayMs);
      },
      deadLetter: (delivery, reason) => {
        untrack(delivery);
        return queue.deadLetter(delivery, reason);
      },
    };
  }

  get logger(): Logger {
    const say = (level: string) => (message: string, fields?: object) =>
      this.#environment.note(`${this.name} ${level}: ${message} ${fields === undefined ? '' : JSON.stringify(fields)}`);
    return { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') };
  }

  deps(policy: CompiledPolicy): Deps {
    const { stores, chance, newId, sandbox, caller } = this.#environment;
    const { clock } = this;
    const registers = this.#remote(stores.registers);
    const ceiling = callCeiling(policy.policy.limits);
    const gate = createLimiter({ registers, ...this.#limiterTimes(), ceiling, reserveMs: 1_000 });
    const cloud: Cloud = engineCloud({
      ...{ sandbox, caller, gate, newRequestId: newId, now: () => clock.now() },
      travel: (leg, _, delayMs) => (leg === 'there' ? this.live() : this.step(delayMs)),
      onArrival: (request) => this.#environment.arrived(request, this, policy),
      onAnswer: (request, output, refused) => this.#environment.acted(request, output, refused),
      onReceipt: (request, output) => this.#environment.answered(request, output, this),
    });
    return {
      ledger: this.#remote(stores.ledger),
      records: this.#remote(stores.records),
      queue: this.#queue(),
      snapshots: this.#remote(stores.snapshots),
      ...{
        registers,
        cloud,
        clock,
        newId,
        logger: this.logger,
        tracer: NO_TRACER,
        random: chance.random,
        actor: caller.arn,
      },
    };
  }

  retrying(settings: Settings): Retrying {
    return createRetrying(this.clock, this.#environment.chance.random, settings.retryBudgetMs);
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
