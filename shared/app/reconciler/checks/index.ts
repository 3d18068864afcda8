import { approval } from './approval.ts';
import { caps } from './change-caps.ts';
import { openWindow } from './change-window.ts';
import type { Check, CheckParts } from './check.ts';
import { controls } from './operator-controls.ts';
import { rollout } from './rollout-gate.ts';
import { runStopped } from './run-stopped.ts';

/** All checks before a mutating call (invariant 3), in this order. A new check is one more line. */
export function checksOf(parts: CheckParts): readonly Check[] {
  return [controls(parts), openWindow(parts), runStopped(), rollout(parts), caps(parts), approval(parts)];
}
