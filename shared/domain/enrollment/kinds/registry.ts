import { AUTOMATION } from './automation.ts';
import { COMPUTE_OPTIMIZER } from './compute-optimizer.ts';
import { COST_OPTIMIZATION_HUB } from './cost-optimization-hub.ts';

/** All enrollment kinds, each after its prerequisites. A new kind is one line here. */
export const REGISTRY = [COMPUTE_OPTIMIZER, AUTOMATION, COST_OPTIMIZATION_HUB] as const;
