import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import type * as StoredShapes from '../../shared/adapters/stored-shapes.ts';
import type * as Messages from '../../shared/domain/work-message.ts';
import type { SendOptions, WorkQueue } from '../../shared/ports/queue.ts';
import type * as Reading from '../../shared/ports/read-message.ts';
import type * as Policies from './policies.ts';
import type * as ProcessModule from './process.ts';
import type { Processes } from './processes.ts';
import type * as ReactorModule from './reactor.ts';
import { SeededRandom } from './seeded-random.ts';
import type * as RuntimeModule from './simulated-runtime.ts';

type RuntimeSimulation = RuntimeModule.RuntimeSimulation;
type CompiledPolicy = ReturnType<typeof Policies.compiled>;

/*
 * Another version of Rollcall, loaded from its sources. Its workers, ticks, scanners and reactors share the stores of a history with those of this version.
 * Each version reads and writes messages, registers and entries with its own code; both see the same organization and are judged alike.
 */

/** The directory with the sources of the other version. Node finds its packages in a `node_modules` there. */
export const OTHER_VERSION = 'ROLLCALL_SIMULATED_OTHER_VERSION';

const isFunction = (value: unknown): boolean => typeof value === 'function';
/** A module with these functions or classes, with the types that they have in this version. */
const moduleWith = <Module extends object>(...names: readonly (keyof Module & string)[]) =>
  z.custom<Module>((module) =>
    names.every((name) => typeof module === 'object' && module !== null && isFunction(Reflect.get(module, name))),
  );

const messages = z.custom<Pick<typeof Messages, 'workMessageSchema'>>(
  (module) => typeof module === 'object' && module !== null && 'workMessageSchema' in module,
);

export type OtherVersion = Awaited<ReturnType<typeof loadOtherVersion>>;

/** Loads the parts of another version that a history runs. @param root the directory with its sources */
export async function loadOtherVersion(root: string) {
  const load = async (path: string): Promise<unknown> => import(pathToFileURL(`${root}/${path}`).href);
  const shapes = moduleWith<typeof StoredShapes>('isLedgerEntry', 'isStoredRecord', 'isOrganizationAccount');
  return {
    runtime: moduleWith<typeof RuntimeModule>('SimulatedRuntime').parse(
      await load('test/simulation/simulated-runtime.ts'),
    ),
    process: moduleWith<typeof ProcessModule>('Process').parse(await load('test/simulation/process.ts')),
    reactor: moduleWith<typeof ReactorModule>('Reactor').parse(await load('test/simulation/reactor.ts')),
    policies: moduleWith<typeof Policies>('compiled').parse(await load('test/simulation/policies.ts')),
    reading: moduleWith<typeof Reading>('readMessage').parse(await load('shared/ports/read-message.ts')),
    messages: messages.parse(await load('shared/domain/work-message.ts')),
    shapes: shapes.parse(await load('shared/adapters/stored-shapes.ts')),
  };
}

interface MixedOptions {
  readonly seed: number;
  readonly processes: Processes;
  readonly texts: readonly string[];
  /** When the history begins, epoch ms. */
  readonly start: number;
  /** Ids of the entries that the bus accepted. */
  readonly accepted: Set<string>;
}

/** Before the queue had lanes, the second argument of `send` was the delay in ms. */
function sendOptionsOf(options: SendOptions | number = {}): SendOptions {
  return typeof options === 'number' ? { delayMs: options } : options;
}

/** The other version in one history: half of the processes. It uses a separate random stream. */
export class MixedVersions {
  readonly #version: OtherVersion;
  readonly #simulation: RuntimeSimulation;
  readonly #chance: SeededRandom;
  readonly runtime: RuntimeModule.SimulatedRuntime;
  readonly #reactor: ReactorModule.Reactor;

  constructor(version: OtherVersion, simulation: RuntimeSimulation, options: MixedOptions) {
    const { seed, processes, texts, start, accepted } = options;
    this.#version = version;
    this.#simulation = simulation;
    this.#chance = new SeededRandom(Math.imul(seed, 0x9e3779b1) ^ 0x85ebca77);
    const policies = texts.map((text) => version.policies.compiled(text, start));
    const inside = this.#inside(processes, policies);
    this.runtime = new version.runtime.SimulatedRuntime(inside, accepted);
    this.#reactor = new version.reactor.Reactor(inside);
  }

  /** Chooses the version of the next process. */
  any<Part>(ours: Part, theirs: Part): Part {
    return this.#chance.happens(0.5) ? theirs : ours;
  }

  /** Each event reaches the reactor of one version. */
  reactorBeside(ours: Pick<ReactorModule.Reactor, 'receive'>): Pick<ReactorModule.Reactor, 'receive'> {
    return { receive: (event) => this.any(ours, this.#reactor).receive(event) };
  }

  /** @returns what the other version cannot read in the stores, in words */
  unreadable(): readonly string[] {
    const { chains, records } = this.#simulation.stores.inside;
    const { isLedgerEntry, isStoredRecord, toStoredRecord } = this.#version.shapes;
    const entries = [...chains.values()].flat().filter((entry) => !isLedgerEntry(entry));
    const others = [...records.values()].filter((record) => !isStoredRecord(toStoredRecord(record)));
    const found = [
      ...entries.map(({ chain, seq, type }) => `entry ${seq} (${type}) of ${chain}`),
      ...others.map(({ accountId }) => `the record of ${accountId}`),
    ];
    return found.map((what) => `the other version cannot read ${what}`);
  }

  /** The history as processes of the other version see it. */
  #inside(processes: Processes, policies: readonly CompiledPolicy[]): RuntimeSimulation {
    const simulation = this.#simulation;
    const { seed, time, chance, stores, sandbox, caller, drifting, newId, checker } = simulation;
    const { readMessage } = this.#version.reading;
    const { workMessageSchema } = this.#version.messages;
    const shared = stores.inside.queueOf({ read: readMessage, check: (message) => workMessageSchema.parse(message) });
    const queue: WorkQueue = { ...shared, send: (messages, options) => shared.send(messages, sendOptionsOf(options)) };
    const { Process } = this.#version.process;
    const inside: RuntimeSimulation = {
      ...{ seed, time, chance, stores: { ...stores, queue }, sandbox, caller, drifting, newId, checker },
      get faultProfile() {
        return simulation.faultProfile;
      },
      get policy() {
        const found = policies.find(({ hash }) => hash === simulation.policy.hash);
        if (found === undefined) throw new Error('the two versions compute different hashes of one policy');
        return found;
      },
      get calmed() {
        return simulation.calmed;
      },
      get calmAt() {
        return simulation.calmAt;
      },
      get over() {
        return simulation.over;
      },
      note: (line) => simulation.note(line),
      reached: (state) => simulation.reached(state),
      arrived: (request, by, policy) => simulation.arrived(request, by, simulation.policyOf(policy.hash)),
      acted: (...answer) => simulation.acted(...answer),
      answered: (...answer) => simulation.answered(...answer),
      sent: (...sent) => simulation.sent(...sent),
      received: (...received) => simulation.received(...received),
      finished: (...finished) => simulation.finished(...finished),
      policyOf: (hash) => simulation.policyOf(hash),
      invoke: (what, work, after) =>
        processes.invoke(what, work, after, (name) => new Process(inside, `${name}-other`)),
    };
    return inside;
  }
}
