import { systemMonotonic } from '../../shared/adapters/system/clock.ts';
import { systemRandom } from '../../shared/adapters/system/random.ts';

/** What the stores take from the machine. */
export const HOST = { random: systemRandom, monotonic: systemMonotonic };
