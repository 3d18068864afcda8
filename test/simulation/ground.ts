import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { Caller } from '../../shared/domain/types.ts';
import type { Chance } from './chance.ts';
import type { Request } from './engine-cloud.ts';
import type { MemoryStores } from './memory-stores.ts';
import type { Process } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { Weather } from './weather.ts';

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
}
