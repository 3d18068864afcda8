import type { Deps, Settings } from '../../shared/app/deps.ts';
import { createLimiter } from '../../shared/app/limiter.ts';
import { createRetrying, type Retrying } from '../../shared/app/retrying.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { Cloud } from '../../shared/ports/cloud.ts';
import type { Clock, Logger } from '../../shared/ports/system.ts';
import { engineCloud } from './engine-cloud.ts';
import type { Ground } from './ground.ts';

/** What waits for this waits until the process is forgotten. */
const never = new Promise<never>(() => undefined);

/** A store that does not answer, as its adapter would say it. */
class StoreDown extends Error {
  override readonly name = 'StoreDown';
}

/**
 * One process: its own clock (off by a little), its own memory, and the same stores as all others. It may die at any step; what it was about to
 * do is then never done, and what it was told is lost.
 */
export class Process {
  readonly name: string;
  readonly #ground: Ground;
  readonly #skewMs: number;
  readonly #stop = new AbortController();
  #alive = true;

  constructor(ground: Ground, name: string) {
    this.#ground = ground;
    this.name = name;
    const { skewMs } = ground.weather;
    this.#skewMs = skewMs === 0 ? 0 : ground.chance.between(-skewMs, skewMs);
  }

  get alive(): boolean {
    return this.#alive;
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** SIGKILL. */
  die(): void {
    if (this.#alive) this.#ground.note(`${this.name} dies`);
    this.#alive = false;
    this.#stop.abort('SIGKILL');
  }

  /** SIGTERM. */
  end(): void {
    this.#stop.abort('SIGTERM');
  }

  get clock(): Clock {
    const { time } = this.#ground;
    return {
      now: () => time.now() + this.#skewMs,
      sleep: async (ms, signal) => {
        await time.sleep(ms, signal);
        if (!this.#alive) await never;
      },
    };
  }

  /** Nothing comes between this and what follows, unless everything ends. */
  async live(): Promise<void> {
    const { chance, weather } = this.#ground;
    if (this.#alive && chance.happens(weather.death)) this.die();
    if (!this.#alive) return never;
  }

  /** Time passes, or everything ends. */
  async step(): Promise<void> {
    const { chance, weather, time } = this.#ground;
    await this.live();
    if (chance.happens(weather.delay)) await time.sleep(chance.skewed(0, weather.longestDelayMs));
    if (!this.#alive) return never;
  }

  /** A port as this process sees it. */
  #remote<Port extends object>(port: Port): Port {
    const around = async (name: string, call: () => unknown): Promise<unknown> => {
      const { chance, weather } = this.#ground;
      await this.step();
      if (chance.happens(weather.storeFails)) throw new StoreDown(`${name} was not answered`);
      const answer = await call();
      await this.step();
      if (chance.happens(weather.answerLost)) throw new StoreDown(`the answer to ${name} was lost`);
      return answer;
    };
    return new Proxy(port, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        const call = (given: unknown[]): unknown => Reflect.apply(member, target, given);
        if (property === 'all' || property === 'heads') return (...given: unknown[]) => this.#pages(call(given));
        return (...given: unknown[]) => around(String(property), () => call(given));
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

  get logger(): Logger {
    const say = (level: string) => (message: string, fields?: object) =>
      this.#ground.note(`${this.name} ${level}: ${message} ${fields === undefined ? '' : JSON.stringify(fields)}`);
    return { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') };
  }

  deps(policy: CompiledPolicy): Deps {
    const { stores, chance, newId, sandbox, caller } = this.#ground;
    const { clock } = this;
    const registers = this.#remote(stores.registers);
    const ceiling = policy.policy.limits.callsPerSecond;
    const gate = createLimiter({ registers, clock, ceiling, reserveMs: 1_000 });
    const cloud: Cloud = engineCloud({
      ...{ sandbox, caller, gate, newRequestId: newId, now: () => clock.now() },
      travel: (leg) => (leg === 'there' ? this.live() : this.step()),
      onArrival: (request) => this.#ground.arrived(request, this, policy),
    });
    return {
      ledger: this.#remote(stores.ledger),
      records: this.#remote(stores.records),
      queue: this.#remote(stores.queue),
      facts: this.#remote(stores.facts),
      ...{ registers, cloud, clock, newId, logger: this.logger, random: chance.random, actor: caller.arn },
    };
  }

  retrying(settings: Settings): Retrying {
    return createRetrying(this.clock, this.#ground.chance.random, settings.retryBudgetMs);
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
