import { AUTOMATION } from './automation.ts';
import { COMPUTE_OPTIMIZER } from './compute-optimizer.ts';

/** All enrollment kinds, each after its prerequisites. A new kind is one line here. */
export const REGISTRY = [COMPUTE_OPTIMIZER, AUTOMATION] as const;
