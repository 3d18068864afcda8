import { liveRoutes } from './live/route.ts';
import { operatorRoutes } from './operate.ts';
import { eventRoutes } from './react.ts';
import { accountRoutes } from './reads/accounts.ts';
import { auditRoutes } from './reads/audit.ts';
import { metricRoutes } from './reads/metrics.ts';
import { policyRoutes } from './reads/policy.ts';
import { proofRoutes } from './reads/proofs.ts';
import { runRoutes } from './reads/runs.ts';
import { statusRoutes } from './reads/status.ts';
import type { Route } from './route.ts';

/** Every endpoint. */
export const ROUTES: readonly Route[] = [
  ...statusRoutes,
  ...accountRoutes,
  ...auditRoutes,
  ...proofRoutes,
  ...runRoutes,
  ...policyRoutes,
  ...liveRoutes,
  ...metricRoutes,
  ...operatorRoutes,
  ...eventRoutes,
];
