import type { Caller } from '../domain/enrollment/model.ts';
import type { Cloud } from '../ports/cloud.ts';

/** Caches `identify()`: the caller's identity is fixed for the life of the process. */
export function withCaller(cloud: Cloud, caller: Caller): Cloud {
  return { ...cloud, identify: async () => caller };
}
