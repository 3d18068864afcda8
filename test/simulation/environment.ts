import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { Caller } from '../../shared/domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import type { Request } from './engine-cloud.ts';
import type { FaultProfile } from './fault-profile.ts';
import type { InvariantChecker } from './invariant-checker.ts';
import type { MemoryStores } from './memory-stores.ts';
import type { Process } from './process.ts';
import type { RareState } from './rare-states.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What all processes of one history share. */
export interface Environment {
  readonly time: VirtualTime;
  readonly chance: SeededRandom;
  readonly faultProfile: FaultProfile;
  readonly stores: MemoryStores;
  readonly sandbox: Sandbox;
  readonly caller: Caller;
  readonly newId: () => string;
  /** A line of the trace. */
  note(line: string): void;
  /** A request has arrived at AWS and acts now. */
  arrived(request: Request, by: Process, policy: CompiledPolicy): void;
  /** The request has acted. `output` is its response; `null` for an error or a lost response. `refused`: for an error. */
  acted(request: Request, output: Readonly<Record<string, unknown>> | null, refused: boolean): void;
  /** The response has reached the process. */
  answered(request: Request, output: Readonly<Record<string, unknown>>, by: Process): void;
  /** A process sends messages to the queue. */
  sent(messages: readonly WorkMessage[], by: Process): void;
  /** A process has received messages, or has finished one. */
  received(deliveries: readonly Delivery[], by: Process): void;
  finished(delivery: Delivery, by: Process): void;
}

/** What operators and external actors can use in addition. */
export interface Simulation extends Environment {
  readonly checker: InvariantChecker;
  /** The policy in force. */
  readonly policy: CompiledPolicy;
  /** The kinds that external actors change. */
  readonly drifting: readonly [EnrollmentId, ...EnrollmentId[]];
  /** The calm phase has begun: no more faults. */
  readonly calmed: boolean;
  /** The history has ended. */
  readonly over: boolean;
  /** This history has reached a rare state. */
  reached(state: RareState): void;
  /** Runs `work` in a separate process. An error ends only that process. */
  invoke(what: string, work: (process: Process) => Promise<void>, after?: () => void): void;
}
