import { systemMonotonic } from '../../shared/adapters/system/clock.ts';
import { systemRandom } from '../../shared/adapters/system/random.ts';

/** The parts of the machine that the stores use. */
export const HOST = { random: systemRandom, monotonic: systemMonotonic };
