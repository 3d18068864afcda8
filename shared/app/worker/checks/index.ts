import { approval } from './approval.ts';
import { caps } from './caps.ts';
import type { Check, CheckParts } from './check.ts';
import { controls } from './controls.ts';
import { rollout } from './rollout.ts';
import { runStopped } from './run-stopped.ts';
import { openWindow } from './window.ts';

/** Everything that is asked right before a mutating call (invariant 3), in this order. A further check is one more line. */
export function checksOf(parts: CheckParts): readonly Check[] {
  return [controls(parts), openWindow(parts), runStopped(), rollout(parts), caps(parts), approval(parts)];
}
