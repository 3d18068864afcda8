import type { Target } from '../target.ts';
import { apiTarget } from './api.ts';
import { cursorTarget, eventTarget, messageTarget, planTarget } from './documents.ts';
import { environmentTarget } from './environment.ts';
import { exportTarget } from './export.ts';
import { expectationsTarget, policyTarget, selectorTarget } from './policy.ts';
import { controlTarget, wireTarget } from './sandbox.ts';
import { storeFileTarget, storeRowsTarget } from './store.ts';

export const TARGETS: readonly Target[] = [
  policyTarget,
  expectationsTarget,
  selectorTarget,
  planTarget,
  messageTarget,
  eventTarget,
  cursorTarget,
  environmentTarget,
  wireTarget,
  controlTarget,
  apiTarget,
  exportTarget,
  storeFileTarget,
  storeRowsTarget,
];
