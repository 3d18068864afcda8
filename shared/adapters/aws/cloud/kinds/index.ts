import type { EnrollmentId } from '../../../../domain/enrollment/kinds/index.ts';
import { automationDriver } from './automation.ts';
import { computeOptimizerDriver } from './compute-optimizer.ts';
import { costOptimizationHubDriver } from './cost-optimization-hub.ts';
import type { EnrollmentDriver } from './driver.ts';

/** The driver of every enrollment kind. */
export const DRIVERS: Readonly<Record<EnrollmentId, EnrollmentDriver>> = {
  computeOptimizer: computeOptimizerDriver,
  automation: automationDriver,
  costOptimizationHub: costOptimizationHubDriver,
};
