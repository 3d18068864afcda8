import { closedText } from '../../../domain/decision/assess-mismatch.ts';
import { ChangeRefused, type Check, type CheckParts } from './check.ts';

/** A call that is in progress when the window closes is finished; none starts after that. */
export function openWindow({ deps: { clock }, policy: { windows } }: CheckParts): Check {
  return {
    urgent: true,
    async ask() {
      const now = clock.now();
      if (windows.isOpen(now)) return;
      const opensAt = windows.nextOpening(now);
      throw new ChangeRefused('window', closedText(opensAt), opensAt);
    },
  };
}
