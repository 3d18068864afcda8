import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { Caller } from '../../shared/domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import type { Request } from './engine-cloud.ts';
import type { Weather } from './fault-profile.ts';
import type { Judge } from './invariant-checker.ts';
import type { MemoryStores } from './memory-stores.ts';
import type { Process } from './process.ts';
import type { Chance } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What all processes of one history stand on. */
export interface Ground {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly stores: MemoryStores;
  readonly sandbox: Sandbox;
  readonly caller: Caller;
  readonly newId: () => string;
  /** A line of the trace. */
  note(line: string): void;
  /** A request has arrived at AWS and acts now. */
  arrived(request: Request, by: Process, policy: CompiledPolicy): void;
  /** It has acted; `output`: what it answers, `null` if that is an error or gets lost. */
  acted(request: Request, output: Readonly<Record<string, unknown>> | null): void;
  /** A process puts messages on the queue. */
  sent(messages: readonly WorkMessage[], by: Process): void;
  /** A process was given messages, or is done with one. */
  received(deliveries: readonly Delivery[], by: Process): void;
  leftOff(delivery: Delivery, by: Process): void;
}

/** What those who take part from outside can do besides. */
export interface Stage extends Ground {
  readonly judge: Judge;
  /** The policy in force. */
  readonly policy: CompiledPolicy;
  /** The weather has calmed. */
  readonly calmed: boolean;
  /** Runs `work` as a process of its own; what it throws ends it and nothing else. */
  invoke(what: string, work: (process: Process) => Promise<void>, after?: () => void): void;
}
